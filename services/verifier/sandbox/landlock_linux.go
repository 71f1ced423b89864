package sandbox

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Landlock's access rights to files, in the order of the kernel's header; each later ABI adds some.
const (
	llExecute = 1 << iota
	llWriteFile
	llReadFile
	llReadDir
	llRemoveDir
	llRemoveFile
	llMakeChar
	llMakeDir
	llMakeReg
	llMakeSock
	llMakeFifo
	llMakeBlock
	llMakeSym
	llRefer    // ABI 2
	llTruncate // ABI 3
	llIoctlDev // ABI 5
)

// scopeSignals is the ABI from which on Landlock keeps a job's signals among its own processes.
const scopeSignals = 6

// landlockABI asks the kernel; 0 is none.
func landlockABI() int {
	const version = 1
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, version)
	if errno != 0 {
		return 0
	}
	return int(abi)
}

// files are the rights that a ruleset of this ABI can take away.
func landlockFiles(abi int) int64 {
	all := int64(llRefer - 1)
	for need, right := range map[int]int64{2: llRefer, 3: llTruncate, 5: llIoctlDev} {
		if abi >= need {
			all |= right
		}
	}
	return all
}

// landlockConf is what the zygote needs to restrict its children, or nil where the kernel has no Landlock.
func landlockConf(abi int, p *rootPlan) plain.Value {
	if abi == 0 {
		return nil
	}
	files := landlockFiles(abi)
	ruleset := binary.NativeEndian.AppendUint64(nil, uint64(files))
	if abi >= 4 {
		ruleset = binary.NativeEndian.AppendUint64(ruleset, 3) // TCP bind and connect
	}
	if abi >= 6 {
		ruleset = binary.NativeEndian.AppendUint64(ruleset, 3) // abstract sockets and signals stay inside
	}
	var rules plain.List
	for _, tree := range p.Trees {
		rules = append(rules, plain.Tuple{plain.Str(tree), int64(llExecute | llReadFile | llReadDir)})
	}
	for _, d := range p.devicePaths() {
		if _, err := os.Stat(d); err == nil {
			rules = append(rules, plain.Tuple{plain.Str(d), int64(llReadFile | llWriteFile)})
		}
	}
	return plain.Dict{
		{Key: plain.Str("ruleset"), Value: plain.Bytes(ruleset)},
		{Key: plain.Str("rules"), Value: rules},
		{Key: plain.Str("box_access"), Value: files &^ (llExecute | llMakeChar | llMakeBlock)},
		{Key: plain.Str("compile_access"), Value: files &^ (llMakeChar | llMakeBlock)},
		{Key: plain.Str("program_access"), Value: int64(llExecute | llReadFile | llReadDir)},
	}
}
