// Package onnx loads the ONNX Runtime library and runs models on it.
//
// The library is a shared object that is found at run time (see Find), never linked and never downloaded by a running
// program. It is process-wide: opened once, with its version checked and its digest kept for the record. This package is
// the only one that imports the binding; without cgo it compiles to a refusal that says so.
package onnx

import "fmt"

// Reasons of the errors of this package, as the trainer's contract spells them.
const (
	NotFound        = "ONNXRUNTIME_NOT_FOUND"
	Mismatch        = "ONNXRUNTIME_MISMATCH"
	CUDAUnavailable = "CUDA_UNAVAILABLE"
)

// Error says why the library or a device cannot be used, and what to do.
type Error struct {
	Reason string
	Detail string
	Tried  []string // paths or libraries, in the order in which they were tried
	Err    error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Reason, e.Detail)
	for _, t := range e.Tried {
		s += "\n  tried " + t
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorReason is the reason by itself.
func (e *Error) ErrorReason() string { return e.Reason }

// Config says which library to load and how to run on it.
type Config struct {
	Library string // path of the shared library; empty: see Find
	Threads int    // how many threads all running sessions may use together; 0: 2
}

// SessionConfig says how one model runs.
type SessionConfig struct {
	Name     string // for errors
	Inputs   []string
	Outputs  []string
	Threads  int    // intra-op threads; 0: the runtime's
	Spin     bool   // idle threads spin: a third faster for many small nodes, at the cost of every other process
	CUDA     bool   // run on the first CUDA device
	Folder   string // where external initializers lie
	Training bool   // goes before sampling and scoring when threads are short
}
