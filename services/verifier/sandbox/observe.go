package sandbox

import "time"

// observed is what the kernel and the pipes say of a job that is dead.
type observed struct {
	signal   int // that ended process 1 of the job; 0 for an exit
	killed   Limit
	cpu      time.Duration
	cpuLimit time.Duration
	oomKills uint64 // in the job's memory group
	forks    uint64 // refused by the job's pids group
	output   bool   // more than the cap was written
}

// Signals, named here so that the rule is the same on every system that compiles it.
const (
	sigKill = 9
	sigXCPU = 24
	sigXFSZ = 25
	sigSys  = 31
)

// limit names the limit that ended a job. Our own kill comes first: after it every other sign is a consequence.
func (o observed) limit() Limit {
	switch {
	case o.killed != NoLimit:
		return o.killed
	case o.signal == sigSys:
		return SecurityViolation
	case o.oomKills > 0 && o.signal == sigKill:
		return MemoryLimit
	case o.signal == sigXCPU || o.signal == sigKill && o.cpu >= o.cpuLimit*3/10:
		// Nobody inside can kill process 1. For its limit the kernel counts ticks, which a loaded virtual machine loses to
		// others; the time that it reports is measured. Half a second was seen at a limit of one.
		return CPULimit
	case o.signal == sigXFSZ:
		return FileLimit
	case o.output:
		return OutputLimit
	default:
		return NoLimit
	}
}

// suspected names the limit that a failing job ran into without being ended by it. What the job says of itself (errno, the
// name of its exception) counts only here: it can make a failure look different, never make it a success.
func (o observed) suspected(exception string, errno int) Limit {
	switch {
	case o.oomKills > 0:
		return MemoryLimit
	case o.forks > 0:
		return ProcessLimit
	case exception == "MemoryError":
		return MemoryLimit
	}
	switch errno {
	case 27: // EFBIG
		return FileLimit
	case 28: // ENOSPC
		return DiskLimit
	case 24: // EMFILE
		return FDLimit
	case 11: // EAGAIN, of fork
		if exception == "BlockingIOError" {
			return ProcessLimit
		}
	}
	return NoLimit
}
