package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Daemon is a running one.
type Daemon struct {
	cmd    *exec.Cmd
	out    *os.File
	stderr *tail
	group  *jobGroup
	done   chan struct{}
	once   sync.Once
}

// StartDaemon starts a program in namespaces of its own with a socket at descriptor 3, which for a plugin is a listening one. It has no network and
// no other sockets than unix ones. The error is *IsolationError where the machine has no namespaces, *LayoutError for a
// program that cannot be shown alone, or ErrSandbox.
func (p *Pool) StartDaemon(ctx context.Context, c DaemonConfig, listener *os.File) (*Daemon, error) {
	r, err := p.Report(ctx)
	if err != nil {
		return nil, err
	}
	m, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	if r.Tier < T2 || m.layout.gvisor != nil {
		return nil, &IsolationError{r}
	}
	c = c.fill()
	path := c.Self
	if c.Self == "" {
		if path, err = daemonPath(c.Path); err != nil {
			return nil, err
		}
	}
	d := &Daemon{stderr: &tail{}, done: make(chan struct{})}
	if err := d.start(p, m, c, path, listener); err != nil {
		return nil, fmt.Errorf("%w: start %s: %w", ErrSandbox, path, err)
	}
	return d, nil
}

// daemonPath is where the program really lies. Its folder is shown, so it must hold nothing else that matters.
func daemonPath(given string) (string, error) {
	path, err := filepath.EvalSymlinks(given)
	if err != nil {
		return "", &LayoutError{given, err.Error()}
	}
	if reason := refusePrefix(filepath.Dir(path), os.Getenv("HOME")); reason != "" || !filepath.IsAbs(path) {
		return "", &LayoutError{given, "put it into a folder of its own and name it by its full path: " + reason}
	}
	if err := readableBySandbox(path); err != nil {
		return "", &LayoutError{given, "the sandbox's user cannot read it: " + err.Error()}
	}
	return path, nil
}

func (d *Daemon) start(p *Pool, m *machine, c DaemonConfig, path string, listener *os.File) error {
	root := m.root.with([]string{filepath.Dir(path)})
	if c.Self != "" {
		root = rootPlan{Devices: m.root.Devices}
	}
	plan := stage0{
		Root: root, Path: path, Argv: append([]string{path}, c.Args...), Env: jobEnv(),
		Daemon: &daemonPlan{ABI: m.landlock, Filter: seccompDaemon(), Limits: daemonLimits(c, m.groups != nil), Worker: c.Self},
	}
	b, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	file, err := sealed("daemon", b)
	if err != nil {
		return err
	}
	defer file.Close()
	goR, goW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer goR.Close()
	defer goW.Close()
	outR, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer outW.Close()
	d.cmd = exec.Command("/proc/self/exe")
	d.cmd.Args, d.cmd.Env, d.cmd.Dir = []string{stage0Name}, []string{"GOMAXPROCS=1"}, "/"
	d.cmd.SysProcAttr = namespaces(sandboxUID(p.cfg.PoolSize))
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr, d.cmd.ExtraFiles = goR, outW, d.stderr, []*os.File{listener, file}
	if err := d.cmd.Start(); err != nil {
		outR.Close()
		return err
	}
	d.out = outR
	if err := d.admit(m, c, goW); err != nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
		outR.Close()
		return errors.Join(err, d.dropGroup())
	}
	go d.wait()
	return nil
}

// admit puts the process, which waits for a byte, into control groups and lets it go.
func (d *Daemon) admit(m *machine, c DaemonConfig, goW *os.File) error {
	if m.groups != nil {
		var err error
		if d.group, err = m.groups.group(fmt.Sprintf("d%d", d.cmd.Process.Pid)); err != nil {
			return err
		}
		if err := d.group.prepare(c.Memory, c.Processes); err != nil {
			return err
		}
		if err := d.group.attach(d.cmd.Process.Pid); err != nil {
			return err
		}
	}
	_, err := goW.Write([]byte("g"))
	return err
}

func (d *Daemon) wait() {
	defer close(d.done)
	_ = d.cmd.Wait()
	_ = d.dropGroup()
}

func (d *Daemon) dropGroup() error {
	if d.group == nil {
		return nil
	}
	return d.group.close()
}

// Stdout is what it writes, for one reader.
func (d *Daemon) Stdout() io.Reader { return d.out }

// Done is closed when it and all that it started are dead.
func (d *Daemon) Done() <-chan struct{} { return d.done }

// Said is the beginning of what it wrote to stderr.
func (d *Daemon) Said() string { return d.stderr.String() }

// Kill ends it with all that it started and waits.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
	d.once.Do(func() { d.out.Close() })
}

// daemonPlan is what stage 0 does for a daemon after its root is made.
type daemonPlan struct {
	ABI    int        `json:"abi"`    // of Landlock; 0 is none
	Filter []byte     `json:"filter"` // of system calls
	Limits [][2]int64 `json:"limits"` // which, value
	Worker string     `json:"worker"` // what runs in this process afterwards; empty where another program does
}

// daemonLimits are those of a daemon. The stack is small because each thread of a C library reserves as much, which RLIMIT_DATA counts.
func daemonLimits(c DaemonConfig, grouped bool) [][2]int64 {
	memory := c.Memory + 64<<20
	if grouped { // the group's limit is the one that is meant to be met: a runtime reserves more than it uses
		memory = 2*c.Memory + 1<<30
	}
	return [][2]int64{
		{unix.RLIMIT_DATA, memory}, {unix.RLIMIT_NOFILE, 256}, {unix.RLIMIT_FSIZE, 16 << 20}, {unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_NPROC, int64(c.Processes) + 8}, {unix.RLIMIT_STACK, 8 << 20}, {unix.RLIMIT_MSGQUEUE, 0},
	}
}

// harden takes everything away from this process that a daemon has no use for. The caller's thread is locked.
func (p *daemonPlan) harden(root *rootPlan) error {
	if err := unix.Mount("tmpfs", "/box", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "size=64m,nr_inodes=1024,mode=700"); err != nil {
		return fmt.Errorf("mount /box: %w", err)
	}
	if err := os.Chdir("/box"); err != nil {
		return err
	}
	for c := range uintptr(64) {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0) // those that the kernel does not know are refused
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if err := p.restrict(root); err != nil {
		return err
	}
	for _, l := range p.Limits {
		limit := unix.Rlimit{Cur: uint64(l[1]), Max: uint64(l[1])}
		if err := unix.Setrlimit(int(l[0]), &limit); err != nil {
			return fmt.Errorf("set limit %d: %w", l[0], err)
		}
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&head, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	// A worker goes on in this process, whose other threads must have the filter too. Of theirs nothing else is taken: they keep
	// their capabilities in a namespace with nothing in it, and have no calls left to use them with.
	return installFilter(p.Filter, p.Worker != "")
}

// restrict is spawn.py's function of that name, for a process that has no Python in it.
func (p *daemonPlan) restrict(root *rootPlan) error {
	if p.ABI == 0 {
		return nil // the report says that there is no Landlock
	}
	conf, ok := landlockConf(p.ABI, root).(plain.Dict)
	if !ok {
		return errors.New("no rules for Landlock")
	}
	var rules plain.List
	var ruleset plain.Bytes
	var box int64
	for _, pair := range conf {
		switch pair.Key {
		case plain.Str("ruleset"):
			ruleset, _ = pair.Value.(plain.Bytes)
		case plain.Str("rules"):
			rules, _ = pair.Value.(plain.List)
		case plain.Str("box_access"):
			box, _ = pair.Value.(int64)
		}
	}
	return applyLandlock([]byte(ruleset), append(slices.Clone(rules), plain.Tuple{plain.Str("/box"), box}))
}
