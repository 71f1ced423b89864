package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// running is a job with everything that has to be put away after it.
type running struct {
	slot     *slot
	machine  *machine
	proc     *proc
	limits   Limits
	out, err *drain
	begun    time.Time
	stop     chan struct{} // ends the watchdog
	watched  chan struct{}
	gone     atomic.Pointer[error] // why the caller went away
	left     bool
	status   *unix.WaitStatus // of the program, where another process stands beside it; nil where it told nothing
	home     string           // to be removed
	fetch    []string
}

// begin starts a job in a slot. On an error the slot is given back.
func (s *slot) begin(ctx context.Context, m *machine, l launch, keep int, split bool) (*running, error) {
	r := &running{slot: s, machine: m, limits: l.limits, stop: make(chan struct{}), watched: make(chan struct{})}
	if err := r.start(ctx, l, keep, split); err != nil {
		s.retire() // whatever state it is in, the next job gets a new one
		r.clear()
		s.pool.give(s)
		return nil, err
	}
	return r, nil
}

func (r *running) start(ctx context.Context, l launch, keep int, split bool) error {
	s := r.slot
	r.fetch = l.fetch
	l.group = s.candidate
	if r.machine.layout.shared() {
		var err error
		if r.home, err = s.jobHome(); err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
		l.home, l.extra = r.home, l.extra+processesOf(sandboxUID(s.index))
	}
	if !r.machine.layout.filters {
		l.filter = ""
	}
	if l.group != nil {
		if err := l.group.prepare(l.limits.Memory, l.processes()); err != nil {
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	defer outW.Close()
	l.stdout, l.stderr = outW, outW
	errR := (*os.File)(nil)
	if split {
		var errW *os.File
		if errR, errW, err = os.Pipe(); err != nil {
			outR.Close()
			return fmt.Errorf("%w: %w", ErrSandbox, err)
		}
		defer errW.Close()
		l.stderr = errW
	}
	if l.stdin == nil {
		l.stdin = s.null
	}
	if r.proc, err = s.zygote.start(l, s.candidate != nil); err != nil {
		said, _ := io.ReadAll(io.LimitReader(outputOf(outR, errR, outW, l.stderr), 1024))
		outR.Close()
		if errR != nil {
			errR.Close()
		}
		return fmt.Errorf("%w %s", err, said)
	}
	r.begun = s.pool.deps.Clock.Now()
	overrun := func() { r.proc.kill(OutputLimit) }
	r.out = startDrain(outR, keep, l.limits.Output, overrun)
	if errR != nil {
		r.err = startDrain(errR, keep, l.limits.Output, overrun)
	}
	go r.watch(ctx)
	return nil
}

// outputOf is where a job that could not be started has said why. Our ends for writing are closed, so that it ends.
func outputOf(outR, errR, outW, errW *os.File) *os.File {
	outW.Close()
	errW.Close()
	if errR == nil {
		errR = outR
	}
	_ = errR.SetReadDeadline(time.Now().Add(time.Second))
	return errR
}

// watch kills the job at its wall limit, or when the caller is gone.
func (r *running) watch(ctx context.Context) {
	defer close(r.watched)
	t := r.slot.pool.deps.Clock.NewTimer(r.limits.Wall)
	defer t.Stop()
	select {
	case <-t.C():
		r.proc.kill(Timeout)
	case <-ctx.Done():
		cause := context.Cause(ctx)
		r.gone.Store(&cause)
		r.proc.kill(NoLimit)
	case <-r.stop:
	}
}

// end kills what is left, waits until all of it is dead, and only then reads what it wrote.
func (r *running) end() (Result, observed, error) {
	byItself := r.proc.notice != nil
	r.proc.kill(NoLimit)
	notice, ok := r.proc.wait()
	wall := r.slot.pool.deps.Clock.Now().Sub(r.begun)
	close(r.stop)
	<-r.watched
	held := r.out.finish()
	if r.err != nil {
		held = errors.Join(held, r.err.finish())
	}
	o := observed{killed: r.proc.why(), cpu: notice.cpu, cpuLimit: cpuSeconds(r.limits.CPU), output: r.out.over()}
	res := Result{
		Stdout: r.out.kept, Truncated: r.out.truncated(), Leftover: r.left, Tier: r.machine.tier,
		Interpreter: r.machine.interpreter.Version, Binary: r.machine.interpreter.Sum, Usage: Usage{Wall: wall, CPU: notice.cpu, MaxRSS: notice.maxRSS},
	}
	if r.err != nil {
		res.Stderr = r.err.kept
		res.Truncated = res.Truncated || r.err.truncated()
		o.output = o.output || r.err.over()
	}
	if r.status != nil {
		notice.status = *r.status
	}
	if notice.status.Signaled() {
		o.signal = int(notice.status.Signal())
	}
	clean := errors.Join(held, r.settle(&o), r.gather(&res))
	res.Limit = o.limit()
	res.ExitCode, res.Signal = max(notice.status.ExitStatus(), 0), o.signal
	if !byItself && res.Limit == NoLimit && o.signal == sigKill {
		res.Signal = 0 // our own kill, of a job that had done its work
	}
	defer r.slot.pool.give(r.slot)
	r.clear()
	if !ok || clean != nil {
		r.slot.retire()
	}
	cause := r.gone.Load()
	switch {
	case cause != nil:
		return res, o, *cause
	case !ok && !r.proc.tookItsSandbox():
		return res, o, fmt.Errorf("%w: the zygote ended under a job", ErrSandbox)
	case clean != nil && ok:
		return res, o, fmt.Errorf("%w: %w", ErrSandbox, clean)
	}
	return res, o, nil
}

// gather reads the files that the caller wants. Everybody who could write them is dead.
func (r *running) gather(res *Result) error {
	if len(r.fetch) == 0 {
		return nil
	}
	box := r.proc.box
	if box == nil {
		var err error
		if box, err = openBox(r.home); err != nil {
			return err
		}
	}
	defer box.Close()
	var err error
	res.Files, err = fetch(box, r.fetch)
	return err
}

// clear removes the job's folder, where it had one of the host's. What cannot be removed is no fault of the next job.
func (r *running) clear() {
	if r.home == "" {
		return
	}
	if err := removeHostile(r.home); err != nil {
		r.slot.pool.deps.Log.Warn("files of a job are left", "folder", r.home, "error", err.Error())
	}
}

// settle reads the group's counters and sees that it is empty.
func (r *running) settle(o *observed) error {
	g := r.slot.candidate
	if g == nil {
		return nil
	}
	var err error
	if o.oomKills, o.forks, err = g.events(); err != nil {
		return err
	}
	n, err := g.tasks()
	if err == nil && n > 0 {
		err = fmt.Errorf("%d processes are left in the control group of a dead job", n)
	}
	return err
}

func cpuSeconds(d time.Duration) time.Duration {
	if whole := d.Truncate(time.Second); whole < d {
		return whole + time.Second
	}
	return d
}
