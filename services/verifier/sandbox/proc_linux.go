package sandbox

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// handshake is how long a forked child may take to announce itself.
const handshake = 10 * time.Second

// proc is a running job: process 1 of its own pid namespace.
type proc struct {
	pid    int
	pidfd  int
	conn   *conn
	exit   chan exitNotice
	zygote *zygote
	id     uint64      // by which the zygote knows it
	notice *exitNotice // once it has come
	box    *os.File    // the job's folder, where it is to be read in the end

	mu     sync.Mutex
	ending bool // somebody has killed it
	killed Limit
	dead   bool
	felled bool // its whole sandbox was ended, because it did not end when it was told to
}

// start forks a job and lets it go once it is in its groups and we hold a descriptor of it, by which it can be killed
// whatever it does and whatever pids are used again.
func (z *zygote) start(l launch, grouped bool) (*proc, error) {
	c, childFD, err := connect()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	fds := []int{childFD, int(l.stdin.Fd()), int(l.stdout.Fd()), int(l.stderr.Fd())}
	if l.binary != nil {
		fds = append(fds, int(l.binary.Fd()))
	}
	if l.files != nil {
		fds = append(fds, int(l.files.Fd()))
	}
	id, exit, err := z.request(l.kind, l.params(grouped), fds...)
	unix.Close(childFD)
	if err != nil {
		c.close()
		return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	p := &proc{pidfd: -1, conn: c, exit: exit, zygote: z, id: id}
	if err := p.release(&l); err != nil {
		why := z.refused(id)
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
		}
		if p.box != nil {
			p.box.Close()
		}
		c.close()
		return nil, fmt.Errorf("%w: start a job: %w %s %s", ErrSandbox, err, why, z.stderr.String())
	}
	return p, nil
}

func (p *proc) release(l *launch) error {
	if err := p.conn.f.SetReadDeadline(time.Now().Add(handshake)); err != nil {
		return err
	}
	if err := p.meet(l.group); err != nil {
		return err
	}
	if _, err := p.conn.f.Write([]byte("g")); err != nil {
		return err
	}
	if l.gives() {
		var err error
		if p.box, err = p.conn.takeBox(); err != nil {
			p.kill(NoLimit)
			return fmt.Errorf("its folder could not be had: %w", err)
		}
	}
	var hardened [1]byte
	if _, err := io.ReadFull(p.conn.f, hardened[:]); err != nil || hardened[0] != 'h' {
		p.kill(NoLimit)
		return fmt.Errorf("its layers could not be put in place: %w", err)
	}
	return p.conn.f.SetReadDeadline(time.Time{})
}

// meet waits for the job's first byte and takes hold of its process. In a kernel of its own it has none on the host: the
// byte comes from the whole sandbox.
func (p *proc) meet(g *jobGroup) error {
	var err error
	if p.pid, err = p.conn.peerPID(); err != nil {
		return fmt.Errorf("it did not announce itself: %w", err)
	}
	if p.zygote.layout.gvisor != nil {
		return nil
	}
	if p.pidfd, err = unix.PidfdOpen(p.pid, 0); err != nil {
		return fmt.Errorf("hold its process: %w", err)
	}
	if g != nil {
		return g.attach(p.pid)
	}
	return nil
}

// kill ends the job and everything it started, with process 1 of its namespace. The first reason counts; NoLimit says that
// the job had done its work.
func (p *proc) kill(why Limit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return
	}
	if !p.ending {
		p.ending, p.killed = true, why
	}
	p.end()
}

// wholeGroup makes a signal by a process descriptor go to its process group (PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9).
const wholeGroup = 1 << 2

// killWithin is how long a sandbox of gVisor may take to end a job that it is asked to end. Then it is ended as a whole.
const killWithin = 200 * time.Millisecond

func (p *proc) end() {
	switch l := p.zygote.layout; {
	case l.gvisor != nil:
		p.zygote.kill(p.id)
		time.AfterFunc(killWithin, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.dead {
				p.felled = true
				_ = p.zygote.cmd.Process.Kill()
			}
		})
	case l.shared():
		if unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, wholeGroup) != nil { // an older kernel: the zygote ends the rest of the group
			_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0)
		}
	default:
		_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0)
	}
}

// await is over when the kernel has ended the whole namespace. ok is false where the zygote went first.
func (p *proc) await() (n exitNotice, ok bool) {
	if p.notice != nil {
		return *p.notice, true
	}
	select {
	case n = <-p.exit:
		ok = true
	case <-p.zygote.dead:
		select {
		case n = <-p.exit:
			ok = true
		default:
		}
	}
	if ok {
		p.notice = &n
	}
	return n, ok
}

// wait is await, and gives back what we hold of the job.
func (p *proc) wait() (n exitNotice, ok bool) {
	n, ok = p.await()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.dead = true
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
		}
		p.conn.close()
	}
	return n, ok
}

// tookItsSandbox says that it met a limit and would not end, so that its whole sandbox was ended: that is its own doing and no
// fault of the machine's.
func (p *proc) tookItsSandbox() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.felled && p.killed != NoLimit
}

func (p *proc) why() Limit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// leftover says whether the job has other processes than its main one now. Into a kernel of its own nobody looks: Report
// says that there it is not known.
func (p *proc) leftover(g *jobGroup) bool {
	if p.zygote.layout.gvisor != nil {
		return false
	}
	if g != nil {
		if n, err := g.tasks(); err == nil && n == 1 {
			return false
		}
	}
	tasks := filepath.Join("/proc", strconv.Itoa(p.pid), "task")
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(tasks, e.Name(), "children")); err == nil && len(strings.TrimSpace(string(b))) > 0 {
			return true
		}
	}
	return false
}
