package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// controller is one resource of control groups, in whichever hierarchy it lives: memory and pids may sit in version 1
// while version 2 of the same machine offers membership only.
type controller struct {
	name string
	dir  string // ours, under which jobs get theirs
	v2   bool
}

// cgroups is where this process may make control groups.
type cgroups struct {
	mode        string // v1, v2, hybrid or none
	controllers []controller
	missing     map[string]string // controller to the reason why it is not there
}

var wanted = []string{"memory", "pids"}

// mounted is a hierarchy.
type mounted struct {
	at   string
	root string
	v2   bool
	with map[string]bool
}

// findCgroups makes our folder in the hierarchy of each wanted controller, below the group that this process is in.
func findCgroups(name string) (*cgroups, error) {
	mounts, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	own, err := memberships("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	c := &cgroups{mode: modeOf(mounts), missing: map[string]string{}}
	for _, want := range wanted {
		dir, v2, err := place(mounts, own, want, name)
		if err != nil {
			c.missing[want] = err.Error()
			continue
		}
		c.controllers = append(c.controllers, controller{want, dir, v2})
	}
	if len(c.missing) > 0 {
		c.close()
	}
	return c, nil
}

func modeOf(mounts []mounted) string {
	v1, v2 := false, false
	for _, m := range mounts {
		v1, v2 = v1 || !m.v2 && len(m.with) > 0, v2 || m.v2
	}
	switch {
	case v1 && v2:
		return "hybrid"
	case v1:
		return "v1"
	case v2:
		return "v2"
	}
	return "none"
}

// hierarchies reads the mounted ones.
func hierarchies(mountinfo string) ([]mounted, error) {
	b, err := os.ReadFile(mountinfo)
	if err != nil {
		return nil, err
	}
	var out []mounted
	for line := range strings.SplitSeq(string(b), "\n") {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 || r[0] != "cgroup" && r[0] != "cgroup2" {
			continue
		}
		m := mounted{at: l[4], root: l[3], v2: r[0] == "cgroup2", with: map[string]bool{}}
		for o := range strings.SplitSeq(r[2], ",") {
			m.with[o] = true
		}
		out = append(out, m)
	}
	return out, nil
}

// memberships reads which group this process is in: by controller, and "" for version 2.
func memberships(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		parts := strings.SplitN(s.Text(), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			out[c] = parts[2]
		}
	}
	return out, nil
}

// place finds a controller's hierarchy and makes our folder in it.
func place(mounts []mounted, own map[string]string, want, name string) (string, bool, error) {
	for _, m := range mounts {
		key := want
		if m.v2 {
			key = ""
		} else if !m.with[want] {
			continue
		}
		base := filepath.Join(m.at, strings.TrimPrefix(own[key], m.root))
		if m.v2 {
			if err := enable(base, want); err != nil {
				if hasV1(mounts, want) {
					continue
				}
				return "", false, err
			}
		}
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return "", false, fmt.Errorf("this process may not make a control group: %w", err)
		}
		if m.v2 {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+want), 0o644); err != nil {
				return "", false, fmt.Errorf("give %s to jobs: %w", want, err)
			}
		}
		return dir, m.v2, nil
	}
	return "", false, errors.New("no hierarchy that is mounted here has it")
}

func hasV1(mounts []mounted, want string) bool {
	for _, m := range mounts {
		if !m.v2 && m.with[want] {
			return true
		}
	}
	return false
}

// enable asks version 2 for a controller below base. A group with processes in it cannot give controllers on, unless it is
// the machine's root; then the reason says what to do.
func enable(base, want string) error {
	b, err := os.ReadFile(filepath.Join(base, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read the controllers of %s: %w", base, err)
	}
	if !slices.Contains(strings.Fields(string(b)), want) {
		return fmt.Errorf("version 2 does not offer %s to this process's group", want)
	}
	path := filepath.Join(base, "cgroup.subtree_control")
	if b, err := os.ReadFile(path); err == nil && slices.Contains(strings.Fields(string(b)), want) {
		return nil
	}
	if err := os.WriteFile(path, []byte("+"+want), 0o644); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("version 2 does not give %s on from a group with processes in it; start provenir in a delegated subgroup (systemd: Delegate=yes and DelegateSubgroup=main)", want)
		}
		return fmt.Errorf("version 2 does not give %s on: %w", want, err)
	}
	return nil
}

// close removes our folders; jobs' folders are gone before.
func (c *cgroups) close() {
	for _, k := range c.controllers {
		_ = unix.Rmdir(k.dir)
	}
	c.controllers = nil
}

// sweep removes folders of a provenir that was killed: names carry its pid, and only empty groups can be removed.
func (c *cgroups) sweep(prefix string) {
	for _, k := range c.controllers {
		entries, err := os.ReadDir(filepath.Dir(k.dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			rest, ok := strings.CutPrefix(e.Name(), prefix)
			pid, _, _ := strings.Cut(rest, "-")
			n, err := strconv.Atoi(pid)
			if !ok || err != nil || unix.Kill(n, 0) == nil || !errors.Is(unix.Kill(n, 0), unix.ESRCH) {
				continue
			}
			old := filepath.Join(filepath.Dir(k.dir), e.Name())
			children, _ := os.ReadDir(old)
			for _, child := range children {
				if child.IsDir() {
					_ = unix.Rmdir(filepath.Join(old, child.Name()))
				}
			}
			_ = unix.Rmdir(old)
		}
	}
}
