//go:build linux && (amd64 || arm64)

package sandbox

import "golang.org/x/sys/unix"

// allowed are the system calls of honest programs on both systems.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_CLOSE, unix.SYS_CLOSE_RANGE, unix.SYS_FSTAT, unix.SYS_STATX,
	unix.SYS_PPOLL, unix.SYS_PSELECT6, unix.SYS_LSEEK, unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_READV, unix.SYS_WRITEV,
	unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_PREADV2, unix.SYS_PWRITEV2, unix.SYS_SENDFILE, unix.SYS_SPLICE, unix.SYS_TEE, unix.SYS_COPY_FILE_RANGE,
	unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_PIPE2, unix.SYS_DUP, unix.SYS_DUP3, unix.SYS_FCNTL, unix.SYS_FLOCK,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_TRUNCATE, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_FADVISE64, unix.SYS_SYNC_FILE_RANGE,
	unix.SYS_GETDENTS64, unix.SYS_GETCWD, unix.SYS_CHDIR, unix.SYS_FCHDIR, unix.SYS_RENAMEAT2, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_LINKAT,
	unix.SYS_SYMLINKAT, unix.SYS_READLINKAT, unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_UMASK, unix.SYS_UTIMENSAT, unix.SYS_STATFS, unix.SYS_FSTATFS, unix.SYS_READAHEAD,
	unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MSYNC, unix.SYS_MINCORE, unix.SYS_MADVISE, unix.SYS_BRK,
	unix.SYS_MLOCK, unix.SYS_MLOCK2, unix.SYS_MUNLOCK, unix.SYS_PKEY_ALLOC, unix.SYS_PKEY_FREE, unix.SYS_PKEY_MPROTECT, unix.SYS_MEMBARRIER,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_RT_SIGSUSPEND,
	unix.SYS_RT_SIGQUEUEINFO, unix.SYS_SIGALTSTACK, unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_TGKILL,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_TIMES,
	unix.SYS_GETITIMER, unix.SYS_SETITIMER, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_GETTIME, unix.SYS_TIMER_GETOVERRUN, unix.SYS_TIMER_DELETE,
	unix.SYS_TIMERFD_CREATE, unix.SYS_TIMERFD_SETTIME, unix.SYS_TIMERFD_GETTIME, unix.SYS_EVENTFD2, unix.SYS_SIGNALFD4,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2,
	unix.SYS_EXECVE, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_WAIT4, unix.SYS_WAITID, unix.SYS_SET_TID_ADDRESS, unix.SYS_SET_ROBUST_LIST, unix.SYS_GET_ROBUST_LIST,
	unix.SYS_RSEQ, unix.SYS_FUTEX, unix.SYS_FUTEX_WAITV, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER,
	unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_GETPRIORITY, unix.SYS_GETCPU, unix.SYS_RESTART_SYSCALL,
	unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID, unix.SYS_GETRESUID, unix.SYS_GETRESGID,
	unix.SYS_GETGROUPS, unix.SYS_GETPGID, unix.SYS_SETPGID, unix.SYS_GETSID, unix.SYS_SETSID, unix.SYS_UNAME, unix.SYS_SYSINFO, unix.SYS_GETRUSAGE, unix.SYS_PRLIMIT64,
	unix.SYS_GETRANDOM, unix.SYS_CAPGET, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL,
	unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SHUTDOWN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
}

// refused are what honest programs try in passing; they get an error and go on.
var refused = map[unix.Errno][]uint32{
	unix.EPERM: {
		unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID,
		unix.SYS_SETGROUPS, unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_SETPRIORITY, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER,
		unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_GETATTR, unix.SYS_CLOCK_SETTIME, unix.SYS_SETTIMEOFDAY, unix.SYS_IOPRIO_GET, unix.SYS_IOPRIO_SET, unix.SYS_MEMFD_CREATE, unix.SYS_EXECVEAT,
		unix.SYS_MLOCKALL, unix.SYS_MUNLOCKALL, unix.SYS_SYNC, unix.SYS_SYNCFS, unix.SYS_CAPSET, unix.SYS_VMSPLICE, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETHOSTNAME,
		unix.SYS_INOTIFY_INIT1, // it would show what other jobs open of the trees that all see
	},
	unix.EACCES:  {unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_MKNODAT, unix.SYS_SENDMMSG, unix.SYS_RECVMMSG},
	unix.ENOTSUP: {unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_GETXATTR, unix.SYS_LGETXATTR, unix.SYS_FGETXATTR, unix.SYS_LISTXATTR, unix.SYS_LLISTXATTR, unix.SYS_FLISTXATTR, unix.SYS_REMOVEXATTR},
	unix.ENOSYS: {
		unix.SYS_CLONE3, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_SHMDT, unix.SYS_SEMGET, unix.SYS_SEMOP, unix.SYS_SEMCTL, unix.SYS_SEMTIMEDOP, unix.SYS_MSGGET, unix.SYS_MSGSND,
		unix.SYS_MSGRCV, unix.SYS_MSGCTL, unix.SYS_MQ_OPEN, unix.SYS_MBIND, unix.SYS_GET_MEMPOLICY, unix.SYS_SET_MEMPOLICY, unix.SYS_IO_SETUP, unix.SYS_MEMFD_SECRET, unix.SYS_PIDFD_GETFD,
		unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_MOVE_PAGES, unix.SYS_MAP_SHADOW_STACK, unix.SYS_FUTEX_WAKE, unix.SYS_FUTEX_WAIT, unix.SYS_FUTEX_REQUEUE, unix.SYS_MSEAL, unix.SYS_CACHESTAT, unix.SYS_RT_TGSIGQUEUEINFO,
	},
}

// prctlAllowed are the harmless settings of a process.
var prctlAllowed = []uint32{
	unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_SET_PDEATHSIG, unix.PR_GET_PDEATHSIG, unix.PR_GET_DUMPABLE, unix.PR_GET_NO_NEW_PRIVS,
	unix.PR_SET_VMA, unix.PR_CAPBSET_READ, unix.PR_GET_SECCOMP, unix.PR_SET_TIMERSLACK, unix.PR_GET_TIMERSLACK, unix.PR_GET_CHILD_SUBREAPER,
}

// ioctlAllowed are what libraries ask of files and terminals. TIOCSTI, which types into a terminal, is not among them.
var ioctlAllowed = []uint32{unix.TCGETS, unix.TIOCGWINSZ, unix.TIOCGPGRP, 0x541b /* FIONREAD */, 0x5451 /* FIOCLEX */, 0x5450 /* FIONCLEX */, 0x5421 /* FIONBIO */}

// seccompPython is the filter of Python jobs; native is the same for programs whose runtime probes more.
func seccompPython(shared bool) []byte { return filter(withoutNamespaces(rules(retKill), shared)) }

func seccompNative(shared bool) []byte {
	return filter(withoutNamespaces(rules(refuse(unix.ENOSYS)), shared))
}

// seccompDaemon is native's with unix sockets, which a plugin answers on. It has no network to reach by others.
func seccompDaemon() []byte {
	r := rules(refuse(unix.ENOSYS))
	r[unix.SYS_SOCKET] = rule{check: checkArg(offArg0, []uint32{unix.AF_UNIX}, retAllow, refuse(unix.EAFNOSUPPORT))}
	for _, n := range []uint32{unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_SENDMMSG, unix.SYS_RECVMMSG} {
		r[n] = rule{action: retAllow}
	}
	return filter(r)
}

// withoutNamespaces takes away what reaches other processes of the same user, where no namespace keeps a job's apart. A job
// that cannot leave its process group is ended by one signal to the group; limits and signals of others are not its own.
func withoutNamespaces(rules map[uint32]rule, shared bool) map[uint32]rule {
	if !shared {
		return rules
	}
	for _, n := range []uint32{unix.SYS_SETSID, unix.SYS_SETPGID, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL} {
		rules[n] = rule{action: refuse(unix.EPERM)}
	}
	rules[unix.SYS_PRLIMIT64] = rule{check: checkArg(offArg0, []uint32{0}, retAllow, refuse(unix.EPERM))} // 0 is the caller
	// A signal to everybody succeeds where Landlock let it reach nobody; and it is nothing that a job has a use for.
	rules[unix.SYS_KILL] = rule{check: checkArg(offArg0, []uint32{0xffffffff}, refuse(unix.EPERM), retAllow)}
	if landlockABI() < scopeSignals {
		for _, n := range []uint32{unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO} {
			rules[n] = rule{action: refuse(unix.EPERM)}
		}
	}
	return rules
}

func rules(ring uint32) map[uint32]rule {
	out := map[uint32]rule{
		unix.SYS_CLONE:          {check: checkClone()},
		unix.SYS_SOCKET:         {check: checkArg(offArg0, []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}, refuse(unix.EACCES), ring)},
		unix.SYS_SOCKETPAIR:     {check: checkArg(offArg0, []uint32{unix.AF_UNIX}, retAllow, refuse(unix.EACCES))},
		unix.SYS_IOCTL:          {check: checkArg(offArg1, ioctlAllowed, retAllow, refuse(unix.ENOTTY))},
		unix.SYS_PRCTL:          {check: checkArg(offArg0, prctlAllowed, retAllow, refuse(unix.EPERM))},
		unix.SYS_IO_URING_SETUP: {action: ring},
	}
	for _, list := range [][]uint32{allowed, allowedHere} {
		for _, n := range list {
			out[n] = rule{action: retAllow}
		}
	}
	for e, list := range refused {
		for _, n := range list {
			out[n] = rule{action: refuse(e)}
		}
	}
	for e, list := range refusedHere {
		for _, n := range list {
			out[n] = rule{action: refuse(e)}
		}
	}
	return out
}
