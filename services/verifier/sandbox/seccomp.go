//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// The filter is an allow-list. What is not named ends the whole process (SECCOMP_RET_KILL_PROCESS), and the wait status
// then says security_violation; what honest programs try in passing is refused with an error instead.

// instruction is a step of classic BPF.
type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

const (
	bpfLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	bpfEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	bpfAbove  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	bpfSet    = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	bpfJump   = unix.BPF_JMP | unix.BPF_JA
	bpfReturn = unix.BPF_RET | unix.BPF_K

	retKill  = 0x80000000 // SECCOMP_RET_KILL_PROCESS
	retErrno = 0x00050000
	retAllow = 0x7fff0000

	offNr   = 0
	offArch = 4
	offArg0 = 16 // low half of the first argument; both systems are little-endian
	offArg1 = 24
)

func ret(k uint32) instruction { return instruction{code: bpfReturn, k: k} }

func refuse(e unix.Errno) uint32 { return retErrno | uint32(e) }

// lastKnown is the last system call that the list was made with. What the kernel learns later is refused and not punished:
// a newer library asks for it, and goes on without it.
const lastKnown = unix.SYS_MSEAL

// rule is what happens at a system call: either an action, or a check of its arguments that ends in one.
type rule struct {
	action uint32
	check  []instruction
}

// nsFlags are clone's flags for new namespaces.
const nsFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// checkClone refuses new namespaces.
func checkClone() []instruction {
	return []instruction{{bpfLoad, 0, 0, offArg0}, {bpfSet, 0, 1, nsFlags}, ret(refuse(unix.EPERM)), ret(retAllow)}
}

// checkArg looks an argument up in a list.
func checkArg(off uint32, list []uint32, found, otherwise uint32) []instruction {
	out := []instruction{{bpfLoad, 0, 0, off}}
	for _, a := range list {
		out = append(out, instruction{bpfEqual, 0, 1, a}, ret(found))
	}
	return append(out, ret(otherwise))
}

// filter assembles the program for a set of rules: a binary search by number, so that the kernel's walk over all numbers
// when it is installed stays short.
func filter(rules map[uint32]rule) []byte {
	head := []instruction{{bpfLoad, 0, 0, offArch}, {bpfEqual, 1, 0, auditArch}, ret(retKill), {bpfLoad, 0, 0, offNr}}
	if x32Bit != 0 {
		head = append(head, instruction{bpfAbove, 0, 1, x32Bit}, ret(retKill))
	}
	numbers := make([]uint32, 0, len(rules))
	for n := range rules {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	type span struct {
		from uint32
		rule rule
	}
	spans := []span{{0, rule{action: retKill}}}
	add := func(from uint32, r rule) {
		last := &spans[len(spans)-1]
		switch {
		case last.from == from:
			last.rule = r
		case r.check != nil || last.rule.check != nil || last.rule.action != r.action:
			spans = append(spans, span{from, r})
		}
	}
	for i, n := range numbers {
		add(n, rules[n])
		if i+1 == len(numbers) || numbers[i+1] != n+1 {
			add(n+1, rule{action: retKill})
		}
	}
	add(lastKnown+1, rule{action: refuse(unix.ENOSYS)})
	var tree func(s []span) []instruction
	tree = func(s []span) []instruction {
		if len(s) == 1 {
			if s[0].rule.check != nil {
				return s[0].rule.check
			}
			return []instruction{ret(s[0].rule.action)}
		}
		mid := len(s) / 2
		low, high := tree(s[:mid]), tree(s[mid:])
		if len(low) < 255 {
			out := append([]instruction{{bpfAbove, uint8(len(low)), 0, s[mid].from}}, low...)
			return append(out, high...)
		}
		out := append([]instruction{{bpfAbove, 0, 1, s[mid].from}, {bpfJump, 0, 0, uint32(len(low))}}, low...)
		return append(out, high...)
	}
	var b []byte
	for _, i := range append(head, tree(spans)...) {
		b = binary.NativeEndian.AppendUint16(b, i.code)
		b = append(b, i.jt, i.jf)
		b = binary.NativeEndian.AppendUint32(b, i.k)
	}
	return b
}
