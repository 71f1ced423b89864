package sandbox

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// launch is what a process is started with.
type launch struct {
	kind    string   // func, script, judge, exec, compile
	argv    []string // of the language; what begins with /run/ is where the program is
	args    []string // of the program
	home    string   // folder of the job's files where it shares the host's mounts; empty elsewhere
	env     []string
	limits  Limits
	extra   int // processes of the slot beside the job's, which RLIMIT_NPROC counts too
	filter  string
	stdin   *os.File
	stdout  *os.File
	stderr  *os.File
	binary  *os.File // the program, for /run; nil where there is none
	files   *os.File // archive for /box; nil where there is none
	fetch   []string // what is read of /box in the end
	name    string   // of the program in /run
	group   *jobGroup
	threads int  // of the program's runtime, beside its limit
	native  bool // not Python: its runtime reserves address space freely
}

// processes are those of the job's group: a program's, and the one that waits for it.
func (l *launch) processes() int {
	if l.kind == "exec" {
		return l.limits.Processes + l.threads + 1
	}
	return l.limits.Processes
}

// gives says that the process hands its /box over, which is seen in its own namespace alone.
func (l *launch) gives() bool { return len(l.fetch) > 0 && l.home == "" }

// params are a job's as spawn.py reads them.
func (l *launch) params(grouped bool) plain.Value {
	env := plain.Dict{}
	for _, e := range l.env {
		k, v, _ := strings.Cut(e, "=")
		env = append(env, plain.Pair{Key: plain.Str(k), Value: plain.Str(v)})
	}
	return plain.Dict{
		{Key: plain.Str("argv"), Value: strs(l.command())},
		{Key: plain.Str("home"), Value: plain.Str(l.home)},
		{Key: plain.Str("env"), Value: env},
		{Key: plain.Str("program"), Value: plain.Str(l.name)},
		{Key: plain.Str("filter"), Value: plain.Str(l.filter)},
		{Key: plain.Str("box"), Value: plain.Bytes(fmt.Sprintf("size=%d,nr_inodes=%d,mode=700", l.limits.Box, l.limits.Inodes))},
		{Key: plain.Str("files"), Value: l.files != nil},
		{Key: plain.Str("give"), Value: l.gives()},
		{Key: plain.Str("processes"), Value: int64(l.processes())},
		{Key: plain.Str("limits"), Value: l.rlimits(grouped)},
	}
}

func strs(list []string) plain.List {
	out := make(plain.List, len(list))
	for i, s := range list {
		out[i] = plain.Str(s)
	}
	return out
}

// command is what is executed: a program lies in /run, or in the job's folder where it has no /run of its own.
func (l *launch) command() []string {
	var out []string
	for _, a := range l.argv {
		if strings.HasPrefix(a, "/run/") {
			a = l.home + a
		}
		out = append(out, a)
	}
	return append(out, l.args...)
}

// rlimits are pairs (which, value). Soft equals hard: process 1 of a namespace ignores SIGXCPU.
func (l *launch) rlimits(grouped bool) plain.List {
	memory, processes := l.limits.Memory+64<<20, l.limits.Processes+l.threads+l.extra
	if grouped { // the group's limit is the one that is meant to be met, because its counters can be read
		memory, processes = 2*l.limits.Memory+1<<30, processes+8
	}
	address := plain.Tuple{int64(unix.RLIMIT_AS), memory}
	if l.native {
		address = plain.Tuple{int64(unix.RLIMIT_DATA), memory}
	}
	cpu := int64((l.limits.CPU + time.Second - 1) / time.Second)
	pair := func(which int, value int64) plain.Value { return plain.Tuple{int64(which), value} }
	return plain.List{
		address, pair(unix.RLIMIT_CPU, cpu), pair(unix.RLIMIT_FSIZE, l.limits.FileSize), pair(unix.RLIMIT_NOFILE, int64(l.limits.Files)),
		pair(unix.RLIMIT_CORE, 0), pair(unix.RLIMIT_NPROC, int64(processes)), pair(unix.RLIMIT_STACK, 64<<20), pair(unix.RLIMIT_MEMLOCK, 64<<10),
		pair(unix.RLIMIT_SIGPENDING, 256), pair(unix.RLIMIT_MSGQUEUE, 0),
	}
}
