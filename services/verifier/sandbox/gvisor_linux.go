package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// gvisor is a kernel of its own for a zygote and its jobs: runsc runs them as one long-lived container without a network,
// and what a job asks of a kernel is answered by it and not by the host's.
type gvisor struct{ path string }

// find looks for runsc.
func (g *gvisor) find() error {
	name := g.path
	if name == "" {
		name = "runsc"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("gVisor is not installed: %w", err)
	}
	g.path = path
	return nil
}

// command makes a container of a zygote and the command that runs it in the foreground; with it, it ends. swept removes what
// it kept on disk.
func (g *gvisor) command(s stage0) (cmd *exec.Cmd, swept func(), err error) {
	dir, err := os.MkdirTemp("", "provenir-gvisor-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for gVisor: %w", err)
	}
	id := filepath.Base(dir)
	global := []string{"--root=" + filepath.Join(dir, "state"), "--network=none", "--ignore-cgroups", "--host-uds=none"}
	if os.Getuid() != 0 {
		global = append(global, "--rootless")
	}
	swept = func() {
		// What is left of a container whose runsc was killed: processes of the sandbox die with it, files do not.
		_ = exec.Command(g.path, append(append([]string{}, global...), "delete", "--force", id)...).Run()
		_ = removeHostile(dir)
	}
	if err := s.bundle(dir); err != nil {
		swept()
		return nil, nil, err
	}
	cmd = exec.Command(g.path, append(append([]string{}, global...), "run", "--bundle="+dir,
		fmt.Sprintf("--pass-fd=%d:%d", fdControl, fdControl), fmt.Sprintf("--pass-fd=%d:%d", fdBundle, fdBundle), id)...)
	if os.Getuid() == 0 { // what runsc mounts goes with it, also when we are killed
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	return cmd, swept, nil
}

// innerGroups is where the kernel of the sandbox has its control groups. It does not enforce RLIMIT_NPROC, so the number of a
// job's processes is bounded by a group there.
const innerGroups = "sys/fs/cgroup"

type (
	ociUser struct {
		UID int `json:"uid"`
		GID int `json:"gid"`
	}
	ociProcess struct {
		User         ociUser             `json:"user"`
		Args         []string            `json:"args"`
		Env          []string            `json:"env"`
		Cwd          string              `json:"cwd"`
		Capabilities map[string][]string `json:"capabilities"`
	}
	ociMount struct {
		Destination string   `json:"destination"`
		Type        string   `json:"type"`
		Source      string   `json:"source"`
		Options     []string `json:"options"`
	}
	ociRoot struct {
		Path     string `json:"path"`
		Readonly bool   `json:"readonly"`
	}
	ociNamespace struct {
		Type string `json:"type"`
	}
	ociLinux struct {
		Namespaces []ociNamespace `json:"namespaces"`
	}
	// ociConfig is the part of an OCI bundle's config.json (opencontainers/runtime-spec 1.0) that we write.
	ociConfig struct {
		Version  string     `json:"ociVersion"`
		Process  ociProcess `json:"process"`
		Root     ociRoot    `json:"root"`
		Hostname string     `json:"hostname"`
		Mounts   []ociMount `json:"mounts"`
		Linux    ociLinux   `json:"linux"`
	}
)

// bundle writes the root of stage 0 as an OCI bundle. The zygote keeps the capabilities with which it gives each job its
// mounts and namespaces, all of them in the kernel of its own; jobs have none.
func (s stage0) bundle(dir string) error {
	root := filepath.Join(dir, "rootfs")
	c := ociConfig{
		Version: "1.0.0", Hostname: "sandbox", Root: ociRoot{root, true},
		Process: ociProcess{Args: append([]string{s.Path}, s.Argv[1:]...), Env: s.Env, Cwd: "/", Capabilities: map[string][]string{}},
	}
	for _, set := range []string{"bounding", "effective", "permitted"} {
		c.Process.Capabilities[set] = []string{"CAP_SYS_ADMIN", "CAP_SETPCAP", "CAP_KILL", "CAP_SYS_RESOURCE"}
	}
	for _, n := range []string{"pid", "network", "ipc", "uts", "mount"} {
		c.Linux.Namespaces = append(c.Linux.Namespaces, ociNamespace{n})
	}
	var made []error
	c.Mounts = append(c.Mounts, ociMount{"/" + innerGroups, "cgroup", "cgroup", []string{"nosuid", "nodev", "noexec"}})
	for _, d := range append([]string{innerGroups}, dirs[:3]...) {
		made = append(made, os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	for _, tree := range s.Root.Trees {
		made = append(made, os.MkdirAll(filepath.Join(root, tree), 0o755))
		c.Mounts = append(c.Mounts, ociMount{tree, "bind", tree, []string{"rbind", "ro"}})
	}
	for link, target := range s.Root.Links {
		made = append(made, os.Symlink(target, filepath.Join(root, strings.TrimPrefix(link, "/"))))
	}
	b, err := json.Marshal(c)
	return errors.Join(errors.Join(made...), err, os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600))
}
