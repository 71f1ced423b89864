package sandbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// startLimit is how long a zygote may take until it is warm.
const startLimit = 20 * time.Second

// exitNotice is what the zygote saw of a job's end: it is the parent, so the kernel told it.
type exitNotice struct {
	status unix.WaitStatus
	cpu    time.Duration
	maxRSS int64
}

// zygote is a warm interpreter that forks jobs.
type zygote struct {
	cmd    *exec.Cmd
	layout layout
	name   string // of its profile
	ctl    *os.File
	swept  func() // takes away what a sandbox of gVisor keeps on disk; nil elsewhere
	stderr *tail
	dead   chan struct{} // closed when the control socket has ended
	ready  chan struct{}

	mu      sync.Mutex
	waiting map[uint64]chan exitNotice
	failed  map[uint64]string
	next    uint64

	jobs int   // run so far
	rss  int64 // bytes when it was warm
}

// startZygote makes a sandbox for jobs and the interpreter in it.
func startZygote(ctx context.Context, uid int, m *machine, p profile) (*zygote, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a control socket: %w", err)
	}
	child := os.NewFile(uintptr(fds[1]), "control of the zygote")
	defer child.Close()
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		return nil, err
	}
	z := &zygote{layout: m.layout, name: p.name, ctl: os.NewFile(uintptr(fds[0]), "control"), stderr: &tail{}, dead: make(chan struct{}), ready: make(chan struct{}),
		waiting: map[uint64]chan exitNotice{}, failed: map[uint64]string{}}
	if err := z.launch(uid, m, p, child); err != nil {
		z.ctl.Close()
		z.sweep()
		return nil, err
	}
	go z.read()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case <-z.ready:
		z.rss = z.resident()
		return z, nil
	case <-z.dead:
		z.close()
		return nil, fmt.Errorf("the sandbox ended while it started: %s", z.stderr.String())
	case <-ctx.Done():
		z.close()
		return nil, fmt.Errorf("the sandbox was not ready in time: %w: %s", ctx.Err(), z.stderr.String())
	}
}

// launch starts the process. It finds its control socket at descriptor 3, the plan of stage 0 at 4 and the bundle at 5.
func (z *zygote) launch(uid int, m *machine, p profile, control *os.File) error {
	s := m.stage0(p)
	plan, err := json.Marshal(s)
	if err != nil {
		return err
	}
	inside, err := bundle(p, landlockConf(m.landlock, &s.Root), m.layout)
	if err != nil {
		return err
	}
	files := []*os.File{control}
	for _, b := range [][]byte{plan, inside} {
		f, err := sealed("provenir", b)
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, f)
	}
	switch {
	case m.layout.gvisor != nil:
		if z.cmd, z.swept, err = m.layout.gvisor.command(s); err != nil {
			return err
		}
	case m.layout.namespaces:
		z.cmd = exec.Command("/proc/self/exe")
		z.cmd.Args = []string{stage0Name}
		z.cmd.Env = []string{"GOMAXPROCS=1"}
		z.cmd.SysProcAttr = namespaces(uid)
	default:
		z.cmd = &exec.Cmd{Path: s.Path, Args: s.Argv, Env: s.Env, SysProcAttr: sharing(uid)}
	}
	z.cmd.Dir, z.cmd.Stderr, z.cmd.ExtraFiles = "/", z.stderr, files
	if err := z.cmd.Start(); err != nil {
		return fmt.Errorf("start a sandbox: %w", err)
	}
	return nil
}

func (z *zygote) sweep() {
	if z.swept != nil {
		z.swept()
	}
}

// read handles what the zygote says until it is gone.
func (z *zygote) read() {
	defer close(z.dead)
	var b [512]byte
	for {
		n, err := z.ctl.Read(b[:])
		if err != nil || n == 0 {
			return
		}
		switch b[0] {
		case 'R':
			close(z.ready)
		case 'X':
			z.exited(b[1:n])
		case 'E':
			if n >= 9 {
				z.mu.Lock()
				z.failed[binary.LittleEndian.Uint64(b[1:])] = string(b[9:n])
				z.mu.Unlock()
			}
		}
	}
}

func (z *zygote) exited(b []byte) {
	if len(b) < 28 {
		return
	}
	id := binary.LittleEndian.Uint64(b)
	z.mu.Lock()
	ch := z.waiting[id]
	delete(z.waiting, id)
	z.mu.Unlock()
	if ch != nil {
		ch <- exitNotice{unix.WaitStatus(binary.LittleEndian.Uint32(b[8:])), time.Duration(binary.LittleEndian.Uint64(b[12:])) * time.Microsecond,
			int64(binary.LittleEndian.Uint64(b[20:])) * 1024}
	}
}

// request asks for a job. The descriptors stay the caller's.
func (z *zygote) request(kind string, params plain.Value, fds ...int) (uint64, chan exitNotice, error) {
	ch := make(chan exitNotice, 1)
	z.mu.Lock()
	z.next++
	id := z.next
	z.waiting[id] = ch
	z.mu.Unlock()
	b, err := plain.Append(nil, plain.Tuple{int64(id), plain.Str(kind), params})
	if err != nil {
		return 0, nil, err
	}
	raw, err := z.ctl.SyscallConn()
	if err != nil {
		return 0, nil, err
	}
	var sent error
	if err := raw.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), b, unix.UnixRights(fds...), nil, 0)
		return !errors.Is(sent, unix.EAGAIN)
	}); err != nil {
		sent = err
	}
	if sent != nil {
		return 0, nil, fmt.Errorf("ask the zygote for a job: %w", sent)
	}
	z.jobs++
	return id, ch, nil
}

// kill asks for the end of a job whose process has no descriptor on the host.
func (z *zygote) kill(id uint64) {
	if b, err := plain.Append(nil, plain.Tuple{int64(id), plain.Str("kill"), nil}); err == nil {
		_, _ = z.ctl.Write(b)
	}
}

// refused is why the zygote could not start a job.
func (z *zygote) refused(id uint64) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	why := z.failed[id]
	delete(z.failed, id)
	return why
}

// alive says whether it can still be asked.
func (z *zygote) alive() bool {
	select {
	case <-z.dead:
		return false
	default:
		return true
	}
}

// resident is its memory now; 0 where it cannot be read.
func (z *zygote) resident() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", z.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	var size, rss int64
	if n, _ := fmt.Sscan(string(b), &size, &rss); n != 2 {
		return 0
	}
	return rss * int64(os.Getpagesize())
}

// close ends it and every job in it: it is process 1 of their namespace.
func (z *zygote) close() {
	if z.layout.shared() {
		z.ctl.Close() // it ends its jobs itself: no namespace does it
		timer := time.AfterFunc(partWithin, func() { _ = z.cmd.Process.Kill() })
		defer timer.Stop()
	} else {
		_ = z.cmd.Process.Kill()
	}
	_ = z.cmd.Wait()
	<-z.dead
	z.ctl.Close()
	z.sweep()
}

// partWithin is how long a zygote without namespaces may take to end its jobs and itself.
const partWithin = 2 * time.Second

// tail keeps the first bytes of what a zygote complains of.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[:min(len(p), 4096-min(4096, len(t.b)))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
