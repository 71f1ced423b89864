//go:build unix

package enginelog

import "syscall"

// confine bounds this process's memory and processor time, for good. Memory is what is mapped to be written: a bound on all
// that is mapped would count what threads reserve and never use.
func confine(memory, seconds uint64) error {
	if raced {
		memory = 1 << 62
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: memory, Max: memory}); err != nil {
		return err
	}
	return syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds})
}
