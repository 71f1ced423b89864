package sandbox

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// stamp is what tells cheaply that a file may be another one. Whether it is, its digest says.
type stamp struct {
	dev, inode  uint64
	size        int64
	modified, c unix.Timespec
}

func stampOf(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{}, err
	}
	return stamp{st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim}, nil
}

// current is the machine as it is now: an interpreter that was replaced while we ran is looked at anew, and no zygote of the
// old one starts another job. Jobs that run end as they began. p.mu is held.
func (p *Pool) current(ctx context.Context) (*machine, error) {
	now, err := stampOf(p.machine.interpreter.Path)
	if err == nil && now == p.stamp {
		return p.machine, nil
	}
	i, err := discover(ctx, p.cfg.Python, readableBySandbox)
	if err != nil {
		return nil, fmt.Errorf("the interpreter was replaced: %w", err)
	}
	if p.stamp, err = stampOf(i.Path); err != nil {
		return nil, &LayoutError{i.Path, err.Error()}
	}
	if i.Path == p.machine.interpreter.Path && i.Sum == p.machine.interpreter.Sum {
		return p.machine, nil
	}
	p.deps.Log.Warn("the interpreter was replaced; zygotes are started anew, and verdicts of runs that began before say verifier_changed",
		"path", i.Path, "version", i.Version)
	made := *p.machine
	made.interpreter, made.root = i, i.plan()
	p.machine = &made
	return p.machine, nil
}
