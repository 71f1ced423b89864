package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// preferredUID owns nothing on any machine: it is far above what is handed out to people, services and containers.
const preferredUID = 1_879_048_192

// A process takes a block of users of its own: with shared ones another mesh on the host, or another test, would use up
// the processes of our jobs, and its jobs would be seen as what ours left behind.
const (
	blockUIDs = 1024 // slots of a process
	blocks    = 1024
)

// uidBlock is this process's, claimed by an abstract socket of that number: the kernel gives it back however we end. Where
// none can be claimed the first one is shared, as by two containers of one host that do not see each other's sockets.
var uidBlock = sync.OnceValue(func() int {
	for n := range blocks {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0
		}
		if unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("@provenir/users/%d", n)}) == nil {
			return n // the socket stays open as long as we live
		}
		if unix.Close(fd) != nil {
			return 0
		}
	}
	return 0
})

// sandboxUID is the user as whom jobs run on the host. Root is never one of them: the kernel does not count processes of
// root against RLIMIT_NPROC. Each slot has its own, so that counts do not mix.
func sandboxUID(slot int) int {
	if uid := os.Getuid(); uid != 0 {
		return uid
	}
	if uid := preferredUID + uidBlock()*blockUIDs + slot%blockUIDs; mapped(uid) {
		return uid
	}
	return 65_534 // nobody, in a container whose map ends at 65,535
}

// mapped says whether this process's user namespace has the id.
func mapped(id int) bool {
	f, err := os.Open("/proc/self/uid_map")
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var inside, outside, size int
		if n, _ := fmt.Sscan(s.Text(), &inside, &outside, &size); n == 3 && id >= inside && id-inside < size {
			return true
		}
	}
	return false
}

// readableBySandbox says whether the jobs' user can reach and read a path.
func readableBySandbox(path string) error {
	if os.Getuid() != 0 {
		return unix.Access(path, unix.R_OK)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o004 == 0 {
		return errors.New("it is not readable by others")
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("folder %s is closed to others", dir)
		}
		if dir == "/" {
			return nil
		}
	}
}
