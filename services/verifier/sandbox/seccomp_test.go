//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// run interprets a filter as the kernel does, for the few instructions that it has.
func runFilter(t *testing.T, code []byte, arch, nr uint32, args [2]uint32) uint32 {
	t.Helper()
	data := map[uint32]uint32{offNr: nr, offArch: arch, offArg0: args[0], offArg1: args[1]}
	var a uint32
	for pc := 0; pc*8 < len(code); pc++ {
		in := code[pc*8:]
		op, jt, jf, k := binary.NativeEndian.Uint16(in), int(in[2]), int(in[3]), binary.NativeEndian.Uint32(in[4:])
		jump := func(yes bool) {
			if yes {
				pc += jt
			} else {
				pc += jf
			}
		}
		switch op {
		case bpfLoad:
			a = data[k]
		case bpfEqual:
			jump(a == k)
		case bpfAbove:
			jump(a >= k)
		case bpfSet:
			jump(a&k != 0)
		case bpfJump:
			pc += int(k)
		case bpfReturn:
			return k
		default:
			t.Fatalf("instruction %#x at %d", op, pc)
		}
	}
	t.Fatal("the filter has no end")
	return 0
}

func TestFilter(t *testing.T) {
	python, native := seccompPython(false), seccompNative(false)
	tests := []struct {
		name string
		nr   uint32
		args [2]uint32
		want uint32
	}{
		{"read", unix.SYS_READ, [2]uint32{}, retAllow},
		{"execve", unix.SYS_EXECVE, [2]uint32{}, retAllow},
		{"fork", unix.SYS_CLONE, [2]uint32{17, 0}, retAllow},
		{"thread", unix.SYS_CLONE, [2]uint32{unix.CLONE_VM | unix.CLONE_THREAD, 0}, retAllow},
		{"clone into a namespace", unix.SYS_CLONE, [2]uint32{unix.CLONE_NEWUSER | 17, 0}, refuse(unix.EPERM)},
		{"clone3", unix.SYS_CLONE3, [2]uint32{}, refuse(unix.ENOSYS)},
		{"socket", unix.SYS_SOCKET, [2]uint32{unix.AF_INET, 1}, refuse(unix.EACCES)},
		{"vsock", unix.SYS_SOCKET, [2]uint32{unix.AF_VSOCK, 1}, retKill},
		{"packet socket", unix.SYS_SOCKET, [2]uint32{unix.AF_PACKET, 1}, retKill},
		{"socket pair", unix.SYS_SOCKETPAIR, [2]uint32{unix.AF_UNIX, 1}, retAllow},
		{"TIOCSTI", unix.SYS_IOCTL, [2]uint32{0, unix.TIOCSTI}, refuse(unix.ENOTTY)},
		{"TCGETS", unix.SYS_IOCTL, [2]uint32{0, unix.TCGETS}, retAllow},
		{"name", unix.SYS_PRCTL, [2]uint32{unix.PR_SET_NAME, 0}, retAllow},
		{"dumpable", unix.SYS_PRCTL, [2]uint32{unix.PR_SET_DUMPABLE, 0}, refuse(unix.EPERM)},
		{"io_uring", unix.SYS_IO_URING_SETUP, [2]uint32{}, retKill},
		{"ptrace", unix.SYS_PTRACE, [2]uint32{}, retKill},
		{"bpf", unix.SYS_BPF, [2]uint32{}, retKill},
		{"mount", unix.SYS_MOUNT, [2]uint32{}, retKill},
		{"open_tree", unix.SYS_OPEN_TREE, [2]uint32{}, retKill},
		{"unshare", unix.SYS_UNSHARE, [2]uint32{}, retKill},
		{"setns", unix.SYS_SETNS, [2]uint32{}, retKill},
		{"keyctl", unix.SYS_KEYCTL, [2]uint32{}, retKill},
		{"perf", unix.SYS_PERF_EVENT_OPEN, [2]uint32{}, retKill},
		{"userfaultfd", unix.SYS_USERFAULTFD, [2]uint32{}, retKill},
		{"process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, [2]uint32{}, retKill},
		{"personality", unix.SYS_PERSONALITY, [2]uint32{}, retKill},
		{"seccomp", unix.SYS_SECCOMP, [2]uint32{}, retKill},
		{"memfd", unix.SYS_MEMFD_CREATE, [2]uint32{}, refuse(unix.EPERM)},
		{"execveat", unix.SYS_EXECVEAT, [2]uint32{}, refuse(unix.EPERM)},
		{"of the future", 1000, [2]uint32{}, refuse(unix.ENOSYS)},
	}
	for _, tt := range tests {
		if got := runFilter(t, python, auditArch, tt.nr, tt.args); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
	}
	if got := runFilter(t, python, 0x40000003, unix.SYS_READ, [2]uint32{}); got != retKill {
		t.Errorf("another architecture: %#x", got)
	}
	if x32Bit != 0 {
		if got := runFilter(t, python, auditArch, x32Bit|unix.SYS_READ, [2]uint32{}); got != retKill {
			t.Errorf("x32: %#x", got)
		}
	}
	if got := runFilter(t, native, auditArch, unix.SYS_IO_URING_SETUP, [2]uint32{}); got != refuse(unix.ENOSYS) {
		t.Errorf("io_uring of a native program: %#x", got)
	}
}

// TestFilterIsTheList: for every number the program decides as the list says.
func TestFilterIsTheList(t *testing.T) {
	list, code := rules(retKill), seccompPython(false)
	for nr := range uint32(600) {
		want := uint32(retKill)
		if nr > lastKnown {
			want = refuse(unix.ENOSYS)
		}
		if r, ok := list[nr]; ok {
			if r.check != nil {
				continue
			}
			want = r.action
		}
		if got := runFilter(t, code, auditArch, nr, [2]uint32{}); got != want {
			t.Errorf("call %d: %#x, want %#x", nr, got, want)
		}
	}
}
