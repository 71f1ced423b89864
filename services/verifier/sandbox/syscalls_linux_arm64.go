package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = 0xC00000B7 // AUDIT_ARCH_AARCH64
	x32Bit    = 0
)

// allowedHere are the calls that only this system names so.
var allowedHere = []uint32{unix.SYS_FSTATAT, unix.SYS_RENAMEAT}

var refusedHere = map[unix.Errno][]uint32{}
