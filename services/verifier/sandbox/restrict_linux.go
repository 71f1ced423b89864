package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// applyLandlock restricts this thread to rules, which are tuples of a path and the rights below it.
func applyLandlock(ruleset []byte, rules plain.List) error {
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&ruleset[0])), uintptr(len(ruleset)), 0)
	if errno != 0 {
		return fmt.Errorf("make a Landlock ruleset: %w", errno)
	}
	defer unix.Close(int(fd))
	for _, r := range rules {
		rule, ok := r.(plain.Tuple)
		if !ok || len(rule) != 2 {
			return errors.New("a Landlock rule of no known shape")
		}
		path, _ := rule[0].(plain.Str)
		access, _ := rule[1].(int64)
		if err := addRule(int(fd), string(path), access); err != nil {
			return fmt.Errorf("add the Landlock rule of %s: %w", path, err)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("restrict by Landlock: %w", errno)
	}
	return nil
}

func addRule(ruleset int, path string, access int64) error {
	at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	attr := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint64(nil, uint64(access)), uint32(at))
	const pathBeneath = 1
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), pathBeneath, uintptr(unsafe.Pointer(&attr[0])), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// installFilter gives this thread a filter of system calls, which what it executes keeps.
func installFilter(code []byte, allThreads bool) error {
	program := unix.SockFprog{Len: uint16(len(code) / 8), Filter: (*unix.SockFilter)(unsafe.Pointer(&code[0]))}
	const setModeFilter, everyThread = 1, 1
	flags := uintptr(0)
	if allThreads {
		flags = everyThread
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, flags, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return fmt.Errorf("install the system call filter: %w", errno)
	}
	return nil
}
