package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// jobGroup is the control groups of one slot's jobs. A slot runs one job at a time and its groups are seen to be empty in
// between; counters are compared with what they were before. Making groups anew for each job costs more and gives no more.
type jobGroup struct {
	memory, pids groupDir
	limit        [2]int64 // memory and processes as they are set now
	oom, forks   uint64   // counters before the job
}

// groupDir is a group of one controller with its files held open.
type groupDir struct {
	dir   string
	v2    bool
	procs *os.File
	event *os.File
	count *os.File // of pids alone
}

func (c *cgroups) group(name string) (*jobGroup, error) {
	g := &jobGroup{}
	for _, k := range c.controllers {
		d, err := k.open(name)
		if err != nil {
			return nil, errors.Join(err, g.close())
		}
		if k.name == "memory" {
			g.memory = d
		} else {
			g.pids = d
		}
	}
	return g, nil
}

func (k controller) open(name string) (groupDir, error) {
	d := groupDir{dir: filepath.Join(k.dir, name), v2: k.v2}
	if err := os.Mkdir(d.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return d, fmt.Errorf("make a control group for jobs: %w", err)
	}
	events := "pids.events"
	if k.name == "memory" {
		events = "memory.oom_control"
		if k.v2 {
			events = "memory.events"
		}
	}
	var err error
	if d.procs, err = os.OpenFile(filepath.Join(d.dir, "cgroup.procs"), os.O_WRONLY, 0); err != nil {
		return d, err
	}
	if d.event, err = os.Open(filepath.Join(d.dir, events)); err != nil {
		return d, err
	}
	if k.name == "pids" {
		if d.count, err = os.Open(filepath.Join(d.dir, "pids.current")); err != nil {
			return d, err
		}
	}
	return d, nil
}

// prepare sets limits and remembers counters.
func (g *jobGroup) prepare(memory int64, processes int) error {
	if want := [2]int64{memory, int64(processes)}; g.limit != want {
		if err := g.set(memory, processes); err != nil {
			return err
		}
		g.limit = want
	}
	var err error
	if g.oom, err = g.memory.counter("oom_kill"); err != nil {
		return err
	}
	g.forks, err = g.pids.counter("max")
	return err
}

func (g *jobGroup) set(memory int64, processes int) error {
	m := strconv.FormatInt(memory, 10)
	if err := g.pids.write("pids.max", strconv.Itoa(processes)); err != nil {
		return err
	}
	if g.memory.v2 {
		_ = g.memory.write("memory.swap.max", "0") // absent where the kernel has no swap
		return g.memory.write("memory.max", m)
	}
	// Version 1 wants memory ≤ memory+swap at every moment, so the order depends on the direction.
	_ = g.memory.write("memory.memsw.limit_in_bytes", "-1")
	if err := g.memory.write("memory.limit_in_bytes", m); err != nil {
		return err
	}
	_ = g.memory.write("memory.memsw.limit_in_bytes", m)
	return nil
}

func (d groupDir) write(file, value string) error {
	if err := os.WriteFile(filepath.Join(d.dir, file), []byte(value), 0o644); err != nil {
		return fmt.Errorf("set %s to %s: %w", file, value, err)
	}
	return nil
}

// attach moves a process, which waits for it, into the groups.
func (g *jobGroup) attach(pid int) error {
	b := []byte(strconv.Itoa(pid))
	for _, d := range []groupDir{g.memory, g.pids} {
		if _, err := d.procs.WriteAt(b, 0); err != nil {
			return fmt.Errorf("put a job into its control group: %w", err)
		}
	}
	return nil
}

// events are what happened since prepare.
func (g *jobGroup) events() (oomKills, forks uint64, err error) {
	oom, err := g.memory.counter("oom_kill")
	if err != nil {
		return 0, 0, err
	}
	max, err := g.pids.counter("max")
	return oom - g.oom, max - g.forks, err
}

// counter reads one line "key number" of the group's events.
func (d groupDir) counter(key string) (uint64, error) {
	var buf [512]byte
	n, err := d.event.ReadAt(buf[:], 0)
	if n == 0 {
		return 0, fmt.Errorf("read the events of %s: %w", d.dir, err)
	}
	return findCounter(string(buf[:n]), key), nil
}

func findCounter(text, key string) uint64 {
	for line := range strings.SplitSeq(text, "\n") {
		if k, v, ok := strings.Cut(line, " "); ok && k == key {
			n, _ := strconv.ParseUint(v, 10, 64)
			return n
		}
	}
	return 0
}

// tasks is the number of processes and threads in the groups. The list in cgroup.procs will not do: version 1 keeps it for
// a second.
func (g *jobGroup) tasks() (int, error) {
	var b [32]byte
	n, err := g.pids.count.ReadAt(b[:], 0)
	if n == 0 {
		return 0, fmt.Errorf("count the processes of %s: %w", g.pids.dir, err)
	}
	return strconv.Atoi(strings.TrimSpace(string(b[:n])))
}

func (g *jobGroup) close() error {
	var left error
	for _, d := range []groupDir{g.memory, g.pids} {
		for _, f := range []*os.File{d.procs, d.event, d.count} {
			if f != nil {
				f.Close()
			}
		}
		if d.dir != "" {
			left = errors.Join(left, removeGroup(d.dir))
		}
	}
	return left
}
