package sandbox

import (
	"strings"
	"time"
)

// probe is an attack on the sandbox with a known right end. Its program prints "reached: …" where it got through.
type probe struct {
	name     string
	expected string
	source   string // SECRET stands for the path of a host file that everybody may read
	limit    Limit  // with which the kernel may end the program as well
	control  bool   // harmless without the sandbox, so it is run there too and must get through
	grouped  Limit  // with which it must end where jobs have control groups
}

// head lets a probe fail in words.
const head = `import sys,os
def tell(f):
    try: r = f()
    except BaseException as e: print("refused: %s" % (getattr(e, "strerror", None) or type(e).__name__)); return
    print("reached: %s" % (r,))
`

var probes = []probe{
	{name: "host_file", expected: "a host file that everybody may read does not exist", source: "tell(lambda: open('SECRET').read())", control: true},
	{name: "list_proc", expected: "there is nothing in /proc", source: "def look():\n    n = len(os.listdir('/proc'))\n    if n == 0: raise FileNotFoundError(2, 'an empty folder')\n    return n\ntell(look)", control: true},
	{name: "write_usr", expected: "/usr cannot be written", source: "tell(lambda: open('/usr/provenir-probe', 'w'))"},
	{name: "write_tmp", expected: "no folder that other jobs see can be written", source: "tell(lambda: open('/tmp/provenir-probe', 'w'))"},
	{name: "write_dev", expected: "/dev cannot be written", source: "tell(lambda: open('/dev/provenir-probe', 'w'))"},
	{name: "tcp", expected: "no socket to the network", source: "import _socket\ntell(lambda: _socket.socket(2, 1).fileno())", control: true},
	{name: "vsock", expected: "no socket to the hypervisor", source: "import _socket\ntell(lambda: _socket.socket(40, 1).fileno())", limit: SecurityViolation},
	{name: "io_uring", expected: "no ring, which would go round the filter", source: "import ctypes\ntell(lambda: ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(120)))", limit: SecurityViolation, control: true},
	{name: "abstract_socket", expected: "no socket without a path", source: "import _socket\ntell(lambda: _socket.socket(1, 1).bind('\\0provenir-probe'))", control: true},
	{name: "unshare", expected: "no new namespaces", source: "import ctypes\nr = ctypes.CDLL(None).unshare(0x10000000)\nprint('reached: a user namespace' if r == 0 else 'refused')", limit: SecurityViolation, control: true},
	{name: "kill_all", expected: "a signal to everybody reaches nobody", source: "tell(lambda: os.kill(-1, 9))"},
	{name: "ptrace", expected: "no tracing", source: "import ctypes\nr = ctypes.CDLL(None).ptrace(0, 0, 0, 0)\nprint('reached: traced' if r == 0 else 'refused')", limit: SecurityViolation, control: true},
	{name: "fork_100", expected: "fewer than 100 processes", grouped: ProcessLimit, source: `import time
n = 0
try:
    while n < 100:
        if os.fork() == 0: time.sleep(60)
        n += 1
    print("reached: %d processes" % n)
except OSError as e:
    print("refused: after %d processes" % n)
    raise
`},
	{name: "memory_2gb", expected: "less than 2 GB of memory", grouped: MemoryLimit, source: "x = bytearray(2 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('reached: 2 GB')", limit: MemoryLimit},
	{name: "fill_box", expected: "/box is full in the end", source: "f = open('x', 'wb')\ndef fill():\n    for _ in range(64): f.write(b'x' * (1 << 20)); f.flush()\n    return '64 MB'\ntell(fill)", limit: FileLimit},
	{name: "survive_exit", expected: "a process that was left behind is dead with the job", source: "import time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)\nprint('refused')"},
	{name: "exec_box", expected: "no program starts from /box", source: "import shutil\nshutil.copy('/usr/bin/env', 'x')\nos.chmod('x', 0o755)\ntell(lambda: os.posix_spawn('./x', ['x', '/usr/bin/true'], {}))", control: true},
}

// probeLimits are tight, so that a machine that contains nothing is not hurt.
func probeLimits() Limits {
	return Limits{Wall: 3 * time.Second, Memory: 64 << 20, Processes: 16, Box: 4 << 20, FileSize: 8 << 20}.Fill()
}

// verdict says what was seen of a probe. grouped: the job had control groups.
func (p *probe) verdict(r *Result, grouped bool, control string) Probe {
	out := Probe{Name: p.name, Expected: p.expected}
	said := strings.TrimSpace(string(r.Stdout))
	reached := strings.Contains(said, "reached")
	refused := strings.HasPrefix(said, "refused")
	ended := p.limit != NoLimit && r.Limit == p.limit
	out.Contained = !reached && (refused || ended || p.name == "memory_2gb" && r.ExitCode != 0)
	if grouped && p.grouped != NoLimit && r.Limit != p.grouped {
		out.Contained = false
		said += "; the control group did not see it"
	}
	switch {
	case said != "":
		out.Observed = said
	case r.Limit != NoLimit:
		out.Observed = "ended: " + string(r.Limit)
	default:
		out.Observed = strings.TrimSpace("it said nothing. " + lastLine(string(r.Stderr)))
	}
	if said != "" && r.Limit != NoLimit {
		out.Observed += "; ended: " + string(r.Limit)
	}
	if control != "" {
		out.Observed += "; without the sandbox: " + control
	}
	return out
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
