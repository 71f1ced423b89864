//go:build !cgo

package onnx

import "context"

// Without cgo the library cannot be called; everything else of the program works.

var errNoCgo = &Error{Reason: NotFound, Detail: "this program was built without cgo, which the built-in engine needs; build it with " +
	"CGO_ENABLED=1, or set another backend"}

// Runtime cannot be had.
type Runtime struct {
	Path, Version string
	Digest        [32]byte
	Gate          *Gate
}

// Session cannot be had.
type Session struct{}

// Tensor cannot be had.
type Tensor struct{}

// Open refuses.
func Open(Config) (*Runtime, error) { return nil, errNoCgo }

// Environment is what is known without the library.
func (*Runtime) Environment() map[string]string { return map[string]string{"cpu.features": features()} }

// Session refuses.
func (*Runtime) Session([]byte, SessionConfig) (*Session, error) { return nil, errNoCgo }

// Run refuses.
func (*Session) Run(context.Context, []*Tensor, []*Tensor) error { return errNoCgo }

// Close does nothing.
func (*Session) Close() error { return nil }

// Float32 refuses.
func Float32([]float32, ...int) (*Tensor, error) { return nil, errNoCgo }

// Int64 refuses.
func Int64([]int64, ...int) (*Tensor, error) { return nil, errNoCgo }

// Close does nothing.
func (*Tensor) Close() error { return nil }
