package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpu is the CPU time that this process has used, in user and kernel mode.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // a figure of 0 µs is visibly none
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineCPU is what all processes of this machine have used. Jobs of the sandbox are nobody's children here, so a bench of
// them asks the machine; on one that does other work besides the figure is theirs too.
func machineCPU() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("the machine's CPU time cannot be measured here: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 8 || f[0] != "cpu" {
		return 0, fmt.Errorf("the machine's CPU time cannot be measured here: /proc/stat begins with %q", line)
	}
	const tick = time.Second / 100 // USER_HZ
	var used time.Duration
	for i, name := range []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq"} {
		n, err := strconv.ParseInt(f[1+i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat, %s: %w", name, err)
		}
		if name != "idle" && name != "iowait" {
			used += time.Duration(n) * tick
		}
	}
	return used, nil
}
