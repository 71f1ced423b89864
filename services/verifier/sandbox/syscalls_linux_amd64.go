package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = 0xC000003E // AUDIT_ARCH_X86_64
	x32Bit    = 0x40000000
)

// allowedHere are the older calls that only this system has.
var allowedHere = []uint32{
	unix.SYS_OPEN, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_NEWFSTATAT, unix.SYS_POLL, unix.SYS_SELECT, unix.SYS_ACCESS, unix.SYS_PIPE, unix.SYS_DUP2, unix.SYS_PAUSE,
	unix.SYS_ALARM, unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_GETDENTS, unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_CREAT, unix.SYS_LINK, unix.SYS_UNLINK,
	unix.SYS_SYMLINK, unix.SYS_READLINK, unix.SYS_CHMOD, unix.SYS_GETRLIMIT, unix.SYS_SETRLIMIT, unix.SYS_GETPGRP, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT, unix.SYS_TIME,
	unix.SYS_ARCH_PRCTL, unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_WAIT, unix.SYS_EVENTFD, unix.SYS_SIGNALFD,
}

var refusedHere = map[unix.Errno][]uint32{unix.EPERM: {unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_INOTIFY_INIT}, unix.EACCES: {unix.SYS_MKNOD}}
