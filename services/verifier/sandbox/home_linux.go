package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Below T2 jobs share the host's mounts, so the files of a job are in a folder of the host: box, where it works, and run,
// where its program is. Nothing bounds how much a job writes there but the limit of a file's size.

// makeHome makes the folder under which a slot's jobs get theirs.
func makeHome(uid int) (string, error) {
	dir, err := os.MkdirTemp("", "provenir-box-")
	if err != nil {
		return "", fmt.Errorf("make a folder for jobs: %w", err)
	}
	return dir, owned(dir, uid)
}

func owned(dir string, uid int) error {
	if os.Getuid() != 0 {
		return nil
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		return fmt.Errorf("give a folder to the user of jobs: %w", err)
	}
	return nil
}

// jobHome makes the folder of one job.
func (s *slot) jobHome() (string, error) {
	dir, err := os.MkdirTemp(s.home, "job-")
	if err != nil {
		return "", fmt.Errorf("make a job's folder: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "box"), filepath.Join(dir, "run")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return dir, err
		}
		if err := owned(d, sandboxUID(s.index)); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func (s *slot) dropHome() error {
	if s.home == "" {
		return nil
	}
	err := removeHostile(s.home)
	if err == nil {
		s.home = ""
	}
	return err
}

// removeHostile removes a folder whose owner may have closed parts of it. Links are removed and not followed.
func removeHostile(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	walk := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && err == nil {
			err = os.Chmod(path, 0o700)
		}
		if errors.Is(err, fs.ErrPermission) && d != nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	return errors.Join(walk, os.RemoveAll(dir))
}

// processesOf counts the processes and threads of a user: RLIMIT_NPROC counts all of them, where no namespace of users
// keeps a job's apart.
func processesOf(uid int) int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+e.Name(), &st) != nil || int(st.Uid) != uid {
			continue
		}
		n += threads(e.Name())
	}
	return n
}

func threads(pid string) int {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "\nThreads:")
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(strings.TrimSpace(line))
	return n
}
