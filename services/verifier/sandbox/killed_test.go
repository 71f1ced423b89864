//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOwnerKilled: when provenir itself is killed, its sandboxes and their jobs die with it, and the next one removes the
// control groups that it could not.
func TestOwnerKilled(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "PROVENIR_SANDBOX_VICTIM=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var job, zygote int
	if _, err := fmt.Fscanf(out, "holding %d %d\n", &job, &zygote); err != nil {
		t.Fatal(err)
	}
	var fds []unix.PollFd
	for _, pid := range []int{job, zygote} {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for i, name := range []string{"job", "zygote"} {
		n, err := unix.Poll(fds[i:i+1], 10_000)
		for errors.Is(err, unix.EINTR) {
			n, err = unix.Poll(fds[i:i+1], 10_000)
		}
		if err != nil || n != 1 {
			t.Errorf("the %s outlives its owner: %v", name, err)
		}
	}
	if p.machine.groups == nil {
		return
	}
	fresh, err := New(Config{PoolSize: 1}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if _, err := fresh.Run(t.Context(), Job{Source: "pass"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range fresh.machine.groups.controllers {
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(c.dir), fmt.Sprintf("%s%d-*", cgroupPrefix, cmd.Process.Pid)))
		if len(left) > 0 {
			t.Errorf("control groups of the dead are left: %v", left)
		}
	}
}
