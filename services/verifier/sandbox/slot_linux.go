package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// slot is a place for one job at a time: a zygote, and the control groups of its jobs. That the zygote's user namespace
// holds one job only makes RLIMIT_NPROC a limit of the job where there are no groups.
type slot struct {
	pool  *Pool
	index int

	zygote    *zygote            // of the profile in use
	parked    map[string]*zygote // of other profiles
	machine   *machine           // for which the zygotes were started
	candidate *jobGroup          // nil below T3
	judging   *jobGroup
	judge     *judge // kept for the next job with the same tests
	null      *os.File
	home      string // folder of the jobs' files where they share the host's mounts
	since     int    // jobs since the zygote's size was looked at
}

// warm makes sure that there is a fresh enough zygote of a profile.
func (s *slot) warm(ctx context.Context, m *machine, p profile) error {
	if s.machine != m { // another layout, or another interpreter
		s.retireAll()
		s.machine = m
	}
	s.change(p.name)
	if s.zygote != nil && (!s.zygote.alive() || s.zygote.jobs >= s.pool.cfg.Recycle || s.swollen()) {
		s.retire()
	}
	if s.null == nil {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
		s.null = f
	}
	if m.groups != nil && s.candidate == nil {
		var err error
		if s.candidate, err = m.groups.group(fmt.Sprintf("c%d", s.index)); err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
		if s.judging, err = m.groups.group(fmt.Sprintf("j%d", s.index)); err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
	}
	if s.zygote != nil {
		return nil
	}
	if m.broken != nil {
		return fmt.Errorf("%w: %w", ErrSandbox, m.broken)
	}
	if m.layout.shared() && s.home == "" {
		var err error
		if s.home, err = makeHome(sandboxUID(s.index)); err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
	}
	z, err := startZygote(ctx, sandboxUID(s.index), m, p)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	s.zygote = z
	return nil
}

// change takes the zygote of a profile, if the slot has one, and keeps the other for later.
func (s *slot) change(name string) {
	if s.zygote == nil || s.zygote.name != name {
		if s.parked == nil {
			s.parked = map[string]*zygote{}
		}
		if s.zygote != nil {
			s.parked[s.zygote.name] = s.zygote
		}
		s.zygote = s.parked[name]
		delete(s.parked, name)
	}
}

// stage0 is how a zygote of a profile starts on this machine.
func (m *machine) stage0(p profile) stage0 {
	return stage0{
		Root: m.root.with(slices.Concat(p.site, p.trees)), Path: m.interpreter.Path,
		Argv: []string{"python3", "-I", "-S", "-B", "-X", "utf8", "-c", bootstrap},
		Env:  append(jobEnv(), p.env...),
	}
}

// jobEnv is all that a job sees of an environment.
func jobEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/box", "TZ=UTC", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"}
}

// swollen looks, every 256 jobs, whether the zygote has grown.
func (s *slot) swollen() bool {
	if s.since++; s.since < 256 {
		return false
	}
	s.since = 0
	return s.zygote.resident() > s.zygote.rss+s.pool.cfg.Growth
}

// retire ends the zygote and everything in it.
func (s *slot) retire() {
	if s.judge != nil {
		s.judge.drop()
		s.judge = nil
	}
	if s.zygote != nil {
		s.zygote.close()
		s.zygote = nil
	}
}

// retireAll ends the zygotes of all profiles.
func (s *slot) retireAll() {
	s.retire()
	for _, z := range s.parked {
		z.close()
	}
	s.parked = nil
}

func (s *slot) dropGroups() error {
	var left error
	for _, g := range []*jobGroup{s.candidate, s.judging} {
		if g != nil {
			left = errors.Join(left, g.close())
		}
	}
	s.candidate, s.judging = nil, nil
	if s.null != nil {
		s.null.Close()
		s.null = nil
	}
	return left
}
