package sandbox

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharing is a process in the host's namespaces: another user where we can be one. It ends with its control socket.
func sharing(uid int) *syscall.SysProcAttr {
	out := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		out.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	return out
}

// namespaces are all of them. Root inside is the given user outside.
func namespaces(uid int) *syscall.SysProcAttr {
	gid := os.Getgid()
	if os.Getuid() == 0 {
		gid = uid
	}
	root := os.Getuid() == 0
	return &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
		// Root's supplementary groups would open files of the root group, so they are dropped; others cannot drop theirs.
		Credential:                 &syscall.Credential{NoSetGroups: !root},
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}},
		GidMappingsEnableSetgroups: root,
		Setsid:                     true,
	}
}
