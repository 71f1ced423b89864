package sandbox

import (
	"fmt"
	"time"
)

// Limits bound one job. The zero value of a field takes the default.
type Limits struct {
	Wall      time.Duration // 10 s
	CPU       time.Duration // = Wall; rounded up to seconds, which is what the kernel counts in
	Memory    int64         // bytes, 512 MiB
	Processes int           // 32; threads count
	Files     int           // descriptors, 64
	FileSize  int64         // bytes, 16 MiB
	Box       int64         // bytes of /box, 16 MiB
	Inodes    int           // of /box, 1,024
	Output    int64         // bytes read of stdout and stderr each before output_limit, 1 MiB
	Keep      int           // bytes of each that are kept for reading, 64 KiB; a stdio job keeps Output
	Source    int           // bytes, 1 MiB
}

// Bounds of what a caller may ask for.
const (
	MinWall, MaxWall     = 100 * time.Millisecond, 10 * time.Minute
	MinMemory, MaxMemory = 32 << 20, 16 << 30
)

// Fill puts defaults in place.
func (l Limits) Fill() Limits {
	set(&l.Wall, 10*time.Second)
	set(&l.CPU, l.Wall)
	set(&l.Memory, 512<<20)
	set(&l.Processes, 32)
	set(&l.Files, 64)
	set(&l.FileSize, 16<<20)
	set(&l.Box, 16<<20)
	set(&l.Inodes, 1024)
	set(&l.Output, 1<<20)
	set(&l.Keep, 64<<10)
	set(&l.Source, 1<<20)
	return l
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Check refuses limits that make no sense.
func (l Limits) Check() error {
	switch {
	case l.Wall < MinWall || l.Wall > MaxWall:
		return fmt.Errorf("a wall limit of %v; allowed is %v to %v", l.Wall, MinWall, MaxWall)
	case l.CPU <= 0 || l.CPU > MaxWall:
		return fmt.Errorf("a CPU limit of %v; allowed is up to %v", l.CPU, MaxWall)
	case l.Memory < MinMemory || l.Memory > MaxMemory:
		return fmt.Errorf("a memory limit of %d bytes; allowed is %d to %d", l.Memory, MinMemory, int64(MaxMemory))
	case l.Processes < 1 || l.Files < 8 || l.FileSize < 1 || l.Box < 4096 || l.Inodes < 8 || l.Output < 1 || l.Keep < 1 || l.Source < 1:
		return fmt.Errorf("a limit below its minimum: processes 1, files 8, /box 4096 bytes and 8 inodes, others 1")
	}
	return nil
}

// Limit is the name of a limit that ended or failed a job; these are reasons of verdicts too.
type Limit string

// The limits.
const (
	NoLimit           Limit = ""
	Timeout           Limit = "timeout"
	CPULimit          Limit = "cpu_limit"
	MemoryLimit       Limit = "memory_limit"
	OutputLimit       Limit = "output_limit"
	ProcessLimit      Limit = "process_limit"
	FileLimit         Limit = "file_limit"
	DiskLimit         Limit = "disk_limit"
	FDLimit           Limit = "fd_limit"
	SecurityViolation Limit = "security_violation"
)
