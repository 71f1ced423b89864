package sandbox

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupPrefix begins the names of our control groups; the pid of their owner follows.
const cgroupPrefix = "provenir-sandbox-"

// Pool runs jobs, one in each slot at a time. It is safe for concurrent use.
type Pool struct {
	cfg  Config
	deps Deps

	free chan struct{} // one token for each slot that may be taken

	mu      sync.Mutex
	idle    []*slot
	machine *machine // what was found out at the first job
	closed  bool
	wg      sync.WaitGroup

	binaries  binaries
	reporting sync.Mutex
	report    *Report
}

// machine is what the pool found on this machine.
type machine struct {
	interpreter *Interpreter
	root        rootPlan
	bundle      []byte
	landlock    int
	groups      *cgroups // nil where jobs have none
	tier        Tier     // by construction; Report observes
	noGroups    string   // why there are none
	groupsOff   bool     // because the caller wants none
}

// New makes a pool and starts nothing: the first job, or Report, starts what it needs.
func New(cfg Config, d Deps) (*Pool, error) {
	cfg = cfg.fill()
	if cfg.MinTier > T3 {
		return nil, fmt.Errorf("%w: tier %v is not in this build; T3 is the highest", ErrSandbox, cfg.MinTier)
	}
	if cfg.MinTier < T2 {
		return nil, fmt.Errorf("%w: tier %v is not in this build; T2 is the lowest that runs jobs", ErrSandbox, cfg.MinTier)
	}
	p := &Pool{cfg: cfg, deps: d.fill(), free: make(chan struct{}, cfg.PoolSize)}
	for i := range cfg.PoolSize {
		p.idle = append(p.idle, &slot{pool: p, index: i})
		p.free <- struct{}{}
	}
	return p, nil
}

// look finds out what the machine has, once. An error is kept for nobody: the next job looks again.
func (p *Pool) look(ctx context.Context) (*machine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machine != nil {
		return p.machine, nil
	}
	if p.closed {
		return nil, ErrClosed
	}
	i, err := discover(ctx, p.cfg.Python, readableBySandbox)
	if err != nil {
		return nil, err
	}
	m := &machine{interpreter: i, root: i.plan(), landlock: landlockABI(), tier: T2}
	if m.bundle, err = bundle(lean, landlockConf(m.landlock, &m.root)); err != nil {
		return nil, err
	}
	p.lookForGroups(m)
	p.machine = m
	return m, nil
}

func (p *Pool) lookForGroups(m *machine) {
	if p.cfg.MaxTier < T3 {
		m.noGroups, m.groupsOff = "turned off by max_tier", true
		return
	}
	g, err := findCgroups(fmt.Sprintf("%s%d-%d", cgroupPrefix, os.Getpid(), p.deps.Clock.Now().UnixNano()))
	switch {
	case err != nil:
		m.noGroups = err.Error()
	case len(g.missing) > 0:
		for _, want := range wanted {
			if why, ok := g.missing[want]; ok {
				m.noGroups += want + ": " + why + "; "
			}
		}
		m.groups = nil
	default:
		g.sweep(cgroupPrefix)
		m.groups, m.tier = g, T3
	}
}

// take waits for a slot. The caller gives it back. A slot whose last judge knows the suite is preferred.
func (p *Pool) take(ctx context.Context, suite string) (*slot, error) {
	select {
	case <-p.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		p.free <- struct{}{}
		return nil, ErrClosed
	}
	at := len(p.idle) - 1 // the one used last is warm
	for i, s := range p.idle {
		if suite != "" && s.judge != nil && s.judge.suite == suite {
			at = i
		}
	}
	s := p.idle[at]
	p.idle = append(p.idle[:at], p.idle[at+1:]...)
	p.wg.Add(1)
	p.mu.Unlock()
	return s, nil
}

func (p *Pool) give(s *slot) {
	p.mu.Lock()
	p.idle = append(p.idle, s)
	p.mu.Unlock()
	p.wg.Done()
	p.free <- struct{}{}
}

// ready gives a slot with a living zygote.
func (p *Pool) ready(ctx context.Context, suite string) (*slot, *machine, error) {
	m, err := p.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, err := p.Report(ctx) // the first job waits for the self-test
	if err != nil {
		return nil, nil, err
	}
	if r.Tier < p.cfg.MinTier {
		return nil, nil, &IsolationError{r}
	}
	s, err := p.take(ctx, suite)
	if err != nil {
		return nil, nil, err
	}
	if err := s.warm(ctx, m); err != nil {
		p.give(s)
		return nil, nil, err
	}
	return s, m, nil
}

// Close waits for running jobs and leaves nothing behind.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.retire()
		if err := s.dropGroups(); err != nil {
			p.deps.Log.Warn("a control group is left; the next start of a sandbox takes it away", "error", err.Error())
		}
	}
	if p.machine != nil && p.machine.groups != nil {
		p.machine.groups.close()
	}
	return nil
}

// removeGroup removes a control group whose last process is dead but not yet forgotten by the kernel.
func removeGroup(dir string) error {
	var err error
	for range 100 {
		if err = unix.Rmdir(dir); err == nil || err == unix.ENOENT {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("remove %s: %w", dir, err)
}
