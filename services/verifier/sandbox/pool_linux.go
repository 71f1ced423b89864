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

	noNamespaces error // set by tests, for a machine that refuses them

	free chan struct{} // one token for each slot that may be taken

	mu      sync.Mutex
	idle    []*slot
	machine *machine // what was found out at the first job
	stamp   stamp    // of the interpreter's file
	closed  bool
	wg      sync.WaitGroup

	binaries   binaries
	golang     goLibrary
	toolchains toolchains
	hardened   *Pool // with a kernel of its own for jobs; nil until somebody asks
	reporting  sync.Mutex
	report     *Report
}

// machine is what the pool found on this machine.
type machine struct {
	interpreter *Interpreter
	root        rootPlan
	layout      layout
	broken      error // why the layout cannot be started here at all
	landlock    int
	groups      *cgroups // nil where jobs have none
	tier        Tier     // by construction; Report observes
	noGroups    string   // why there are none
	groupsOff   bool     // because the caller wants none
}

// New makes a pool and starts nothing: the first job, or Report, starts what it needs.
func New(cfg Config, d Deps) (*Pool, error) {
	cfg = cfg.fill()
	switch {
	case cfg.MinTier < T0 || cfg.MinTier > T4:
		return nil, fmt.Errorf("%w: there is no tier %v; T2 to T4 can be asked for", ErrSandbox, cfg.MinTier)
	case cfg.MinTier < T2 && !cfg.AllowUnsandboxed:
		return nil, fmt.Errorf("%w: tier %v runs programs of others with next to nothing around them; that has to be allowed (AllowUnsandboxed)", ErrSandbox, cfg.MinTier)
	case cfg.Plain && !cfg.AllowUnsandboxed:
		return nil, fmt.Errorf("%w: a plain process runs programs of others with nothing around them; that has to be allowed (AllowUnsandboxed)", ErrSandbox)
	}
	p := &Pool{cfg: cfg, deps: d.fill(), free: make(chan struct{}, cfg.PoolSize)}
	for i := range cfg.PoolSize {
		p.idle = append(p.idle, &slot{pool: p, index: i})
		p.free <- struct{}{}
	}
	return p, nil
}

// look finds out what the machine has, once; an interpreter that was replaced since is looked at again. An error is kept for nobody: the next job looks again.
func (p *Pool) look(ctx context.Context) (*machine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if p.machine != nil {
		return p.current(ctx)
	}
	i, err := discover(ctx, p.cfg.Python, readableBySandbox)
	if err != nil {
		return nil, err
	}
	if p.stamp, err = stampOf(i.Path); err != nil {
		return nil, &LayoutError{i.Path, err.Error()}
	}
	p.machine = p.arrange(i, p.layouts()[0])
	return p.machine, nil
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

// ready gives a slot with a living zygote for a job and the sources of its judge, if it has one.
func (p *Pool) ready(ctx context.Context, suite string, j *Job, more ...string) (*slot, *machine, error) {
	r, err := p.Report(ctx) // the first job waits for the self-test, which may change the layout
	if err != nil {
		return nil, nil, err
	}
	m, err := p.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	if r.Tier < p.cfg.MinTier {
		return nil, nil, &IsolationError{r}
	}
	profile, err := m.interpreter.choose(j, more...)
	if err != nil {
		return nil, nil, err
	}
	s, err := p.take(ctx, suite)
	if err != nil {
		return nil, nil, err
	}
	if err := s.warm(ctx, m, profile); err != nil {
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
	hardened := p.hardened
	p.mu.Unlock()
	p.wg.Wait()
	p.abandon()
	if err := p.golang.close(); err != nil {
		p.deps.Log.Warn("the compiled library of Go is left", "error", err.Error())
	}
	if hardened != nil {
		return hardened.Close()
	}
	return nil
}

// abandon ends what was started for a layout. No job runs.
func (p *Pool) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.retireAll()
		if err := s.dropGroups(); err != nil {
			p.deps.Log.Warn("a control group is left; the next start of a sandbox takes it away", "error", err.Error())
		}
		if err := s.dropHome(); err != nil {
			p.deps.Log.Warn("a folder of jobs is left", "folder", s.home, "error", err.Error())
		}
	}
	if p.machine != nil && p.machine.groups != nil {
		p.machine.groups.close()
		p.machine.groups = nil
	}
}

// GVisor is the pool that runs jobs at T4, made at the first call. It is closed with this one.
func (p *Pool) GVisor() (*Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if p.hardened == nil && p.cfg.MinTier < T4 {
		cfg := p.cfg
		cfg.MinTier, cfg.MaxTier, cfg.AllowUnsandboxed, cfg.Plain = T4, T4, false, false
		made, err := New(cfg, p.deps)
		if err != nil {
			return nil, err
		}
		p.hardened = made
	}
	if p.hardened == nil {
		return p, nil
	}
	return p.hardened, nil
}

// removeGroup removes a control group whose last process is dead but not yet forgotten by the kernel. It tries again after a
// pause because there is nothing to wait for: version 1 of control groups tells nobody when a group is empty, and version 2
// tells it (cgroup.events) before the folder can be removed.
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
