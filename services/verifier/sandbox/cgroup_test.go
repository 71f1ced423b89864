//go:build linux

package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModes(t *testing.T) {
	v1 := mounted{at: "/sys/fs/cgroup/memory", with: map[string]bool{"memory": true}}
	v2 := mounted{at: "/sys/fs/cgroup", v2: true}
	for want, mounts := range map[string][]mounted{"none": nil, "v1": {v1}, "v2": {v2}, "hybrid": {v1, v2}} {
		if got := modeOf(mounts); got != want {
			t.Errorf("%v: %s, want %s", mounts, got, want)
		}
	}
}

func TestReadHierarchies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mountinfo")
	text := "35 24 0:30 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro\n" +
		"36 35 0:31 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n" +
		"37 35 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"38 35 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\nbroken line\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := hierarchies(file)
	if err != nil || len(got) != 3 || !got[0].with["memory"] || got[0].root != "/docker/abc" || !got[1].with["cpuacct"] || !got[2].v2 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestReadMemberships(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cgroup")
	if err := os.WriteFile(file, []byte("4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/user.slice\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := memberships(file)
	if err != nil || got["memory"] != "/a/b" || got["cpuacct"] != "/c" || got[""] != "/user.slice" {
		t.Errorf("%v %v", got, err)
	}
}

// version2 is a folder that looks like a group of version 2.
func version2(t *testing.T, controllers, enabled string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"cgroup.controllers": controllers, "cgroup.subtree_control": enabled} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPlace(t *testing.T) {
	t.Run("version 2", func(t *testing.T) {
		dir := version2(t, "cpu memory pids\n", "")
		got, v2, err := place([]mounted{{at: dir, root: "/", v2: true}}, map[string]string{"": "/"}, "memory", "ours")
		if err != nil || !v2 || got != filepath.Join(dir, "ours") {
			t.Errorf("%s %v %v", got, v2, err)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control")); string(b) != "+memory" {
			t.Errorf("asked the parent for %q", b)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "ours", "cgroup.subtree_control")); string(b) != "+memory" {
			t.Errorf("asked ours for %q", b)
		}
	})
	t.Run("version 2 without the controller", func(t *testing.T) {
		dir := version2(t, "hugetlb\n", "")
		if _, _, err := place([]mounted{{at: dir, v2: true}}, map[string]string{}, "memory", "ours"); err == nil || !strings.Contains(err.Error(), "does not offer memory") {
			t.Error(err)
		}
	})
	t.Run("hybrid", func(t *testing.T) {
		one, two := t.TempDir(), version2(t, "hugetlb\n", "")
		got, v2, err := place([]mounted{{at: two, v2: true}, {at: one, root: "/", with: map[string]bool{"memory": true}}}, map[string]string{"memory": "/"}, "memory", "ours")
		if err != nil || v2 || got != filepath.Join(one, "ours") {
			t.Errorf("%s %v %v", got, v2, err)
		}
	})
	t.Run("in a container's group", func(t *testing.T) {
		dir := t.TempDir()
		got, _, err := place([]mounted{{at: dir, root: "/docker/abc", with: map[string]bool{"pids": true}}}, map[string]string{"pids": "/docker/abc"}, "pids", "ours")
		if err != nil || got != filepath.Join(dir, "ours") {
			t.Errorf("%s %v", got, err)
		}
	})
	t.Run("nowhere", func(t *testing.T) {
		if _, _, err := place(nil, nil, "pids", "ours"); err == nil {
			t.Error("placed in nothing")
		}
	})
}

func TestCounters(t *testing.T) {
	text := "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
	if findCounter(text, "oom_kill") != 3 || findCounter(text, "max") != 0 || findCounter("max 7\n", "max") != 7 {
		t.Error("counters are misread")
	}
}

// TestGroupOfVersion2 holds the files that are written and read to the names of version 2.
func TestGroupOfVersion2(t *testing.T) {
	dir := t.TempDir()
	group := filepath.Join(dir, "c0")
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cgroup.procs": "", "memory.events": "low 0\noom_kill 1\n", "pids.events": "max 2\n", "pids.current": "0\n", "memory.max": "", "memory.swap.max": "", "pids.max": ""} {
		if err := os.WriteFile(filepath.Join(group, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := cgroups{controllers: []controller{{"memory", dir, true}, {"pids", dir, true}}}
	g, err := c.group("c0")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.prepare(1<<20, 7); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": "1048576", "memory.swap.max": "0", "pids.max": "7"} {
		if b, _ := os.ReadFile(filepath.Join(group, name)); string(b) != want {
			t.Errorf("%s is %q, want %q", name, b, want)
		}
	}
	if err := os.WriteFile(filepath.Join(group, "memory.events"), []byte("low 0\noom_kill 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if oom, forks, err := g.events(); oom != 3 || forks != 0 || err != nil {
		t.Errorf("events %d %d %v", oom, forks, err)
	}
	if n, err := g.tasks(); n != 0 || err != nil {
		t.Errorf("tasks %d %v", n, err)
	}
	for _, f := range []*os.File{g.memory.procs, g.memory.event, g.pids.procs, g.pids.event, g.pids.count} {
		f.Close()
	}
}
