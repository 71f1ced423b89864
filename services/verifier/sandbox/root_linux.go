package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dirs are always there: /box and /run are where a job's own file systems go.
var dirs = []string{"dev", "box", "run", "old"}

// scratch is where the new root is mounted before it becomes the root; what lay there is out of sight from then on.
const scratch = "/tmp"

// build makes the root. It runs in a mount namespace of its own, so nothing of it is seen outside.
func (p *rootPlan) build() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// Sources are opened first, because the new root may cover them.
	sources := make(map[string]int)
	for _, path := range append(append([]string{}, p.Trees...), p.devicePaths()...) {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s to show it in the sandbox: %w", path, err)
		}
		sources[path] = fd
	}
	if err := unix.Mount("tmpfs", scratch, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,nr_inodes=256,mode=755"); err != nil {
		return fmt.Errorf("mount the sandbox's root: %w", err)
	}
	for _, d := range dirs {
		if err := os.Mkdir(filepath.Join(scratch, d), 0o755); err != nil {
			return err
		}
	}
	for _, path := range p.Trees {
		if err := show(path, sources[path], true); err != nil {
			return err
		}
	}
	for _, path := range p.devicePaths() {
		if err := show(path, sources[path], false); err != nil {
			return err
		}
	}
	for link, target := range p.Links {
		at := filepath.Join(scratch, link)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, at); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return enter()
}

func show(path string, fd int, tree bool) error {
	at := filepath.Join(scratch, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if tree {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
	} else if err := os.WriteFile(at, nil, 0o644); err != nil {
		return err
	}
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", fd), at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s in the sandbox: %w", path, err)
	}
	if !tree {
		return nil
	}
	return readOnly(at)
}

// readOnly makes a tree of mounts read-only. Kernels before 5.12 can do it for the top alone.
func readOnly(at string) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	err := unix.MountSetattr(unix.AT_FDCWD, at, unix.AT_RECURSIVE, &attr)
	if errors.Is(err, unix.ENOSYS) {
		var st unix.Statfs_t
		if err := unix.Statfs(at, &st); err != nil {
			return err
		}
		locked := uintptr(st.Flags) & (unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME)
		err = unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|locked, "")
	}
	if err != nil {
		return fmt.Errorf("make %s read-only: %w", at, err)
	}
	return nil
}

// enter makes scratch the root and forgets the old one.
func enter() error {
	if err := os.Chdir(scratch); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "old"); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := unix.Unmount("/old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("forget the old root: %w", err)
	}
	if err := os.Remove("/old"); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("make the root read-only: %w", err)
	}
	return unix.Sethostname([]byte("sandbox"))
}

func execInto(path string, argv, env []string) error {
	if err := unix.Exec(path, argv, env); err != nil {
		return fmt.Errorf("start %s in the sandbox: %w", path, err)
	}
	return nil
}
