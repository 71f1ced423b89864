package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Run runs a program of its own with stdin and says what happened. The error is ErrSandbox, ErrLanguage, ErrLimits,
// *IsolationError, ErrClosed or the context's; a job that fails is a Result.
func (p *Pool) Run(ctx context.Context, j Job) (Result, error) {
	j.Limits = j.Limits.Fill()
	if err := j.Limits.Check(); err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrLimits, err)
	}
	if len(j.Source) > j.Limits.Source {
		return Result{CompileError: "too_large", ExitCode: 1}, nil
	}
	if len(j.Fetch) > 0 && p.cfg.MinTier == T4 {
		return Result{}, fmt.Errorf("%w: nobody reads files out of gVisor; leave the files to fetch out", ErrFiles)
	}
	switch j.Language {
	case "", Python:
		if err := checkFiles(&j, ""); err != nil {
			return Result{}, err
		}
		return p.script(ctx, j)
	default:
		return p.native(ctx, j)
	}
}

func (p *Pool) script(ctx context.Context, j Job) (Result, error) {
	s, m, err := p.ready(ctx, "", &j)
	if err != nil {
		return Result{}, err
	}
	return s.script(ctx, m, j)
}

// script runs a program of Python in a slot and gives the slot back.
func (s *slot) script(ctx context.Context, m *machine, j Job) (Result, error) {
	stdin, err := stdinOf(j.Stdin)
	if err != nil {
		s.pool.give(s)
		return Result{}, err
	}
	if stdin != nil {
		defer stdin.Close()
	}
	files, err := archive(j.Files)
	if err != nil {
		s.pool.give(s)
		return Result{}, err
	}
	if files != nil {
		defer files.Close()
	}
	r, err := s.begin(ctx, m, launch{kind: "script", limits: j.Limits, filter: "python", stdin: stdin, files: files, fetch: j.Fetch}, int(j.Limits.Output), true)
	if err != nil {
		return Result{}, err
	}
	argv := plain.List{plain.Str("/box/main.py")}
	for _, a := range j.Argv {
		argv = append(argv, plain.Str(a))
	}
	var report plain.Value
	if err := r.proc.conn.send(plain.Tuple{plain.Str("script"), plain.Bytes(j.Source), argv}); err == nil {
		report, _ = r.proc.conn.recv()
	}
	if report != nil { // the main program has ended by itself; what it left behind is about to die
		r.left = r.proc.leftover(s.candidate)
		_ = r.proc.conn.send(nil) // it goes now, or is gone: killed by a child of its own, whose signal must not pass for ours
	}
	r.proc.await()
	res, o, err := r.end()
	if err != nil {
		return res, err
	}
	res.Language = Python
	read(report, &res, o)
	return res, nil
}

// read takes from a program's own report what can only make its failure clearer.
func read(report plain.Value, res *Result, o observed) {
	t, ok := report.(plain.Tuple)
	if !ok || len(t) == 0 {
		return
	}
	switch {
	case t[0] == plain.Str("compile") && len(t) == 3 && res.ExitCode != 0:
		res.CompileError = fmt.Sprintf("%v: %v", t[1], t[2])
	case t[0] == plain.Str("exc") && len(t) == 6 && res.ExitCode != 0:
		name, _ := t[1].(plain.Str)
		errno, _ := t[5].(int64)
		res.Exception = string(name)
		if res.Limit == NoLimit {
			res.Limit = o.suspected(res.Exception, int(errno))
		}
	}
}

// stdinOf is a file with the input: a file cannot block a writer, and needs no goroutine that outlives the job.
func stdinOf(b []byte) (*os.File, error) {
	if len(b) == 0 {
		return nil, nil
	}
	f, err := sealed("stdin", b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	// A descriptor opened anew has an offset of its own and cannot write.
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	f.Close()
	if err != nil {
		return nil, errors.Join(ErrSandbox, err)
	}
	return os.NewFile(uintptr(fd), "stdin"), nil
}
