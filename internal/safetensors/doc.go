// Package safetensors reads and writes the safetensors format, strictly: every byte of a file is accounted for.
//
// A file is a little-endian u64, that many bytes of JSON, and the tensors' bytes. The header must describe the bytes
// without gap, overlap, duplicate or remainder, in any order of names; memory used is bounded by the file's size. It
// streams, so that a checkpoint need not be held twice. It knows nothing of models.
package safetensors

import "fmt"

// Corrupt is the reason of this package's errors, as the trainer's contract spells it.
const Corrupt = "CHECKPOINT_CORRUPT"

// Error says which tensor, or which byte of the file, is wrong.
type Error struct {
	Tensor string // empty: the file as a whole
	Byte   int64  // offset in the file
	Detail string
	Err    error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: byte %d", Corrupt, e.Byte)
	if e.Tensor != "" {
		s += ", tensor " + e.Tensor
	}
	s += ": " + e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorReason is the reason by itself.
func (e *Error) ErrorReason() string { return Corrupt }

// Tensor is one entry of the header.
type Tensor struct {
	Name   string
	DType  string
	Shape  []int64
	Offset int64 // of its first byte in the file
	Length int64 // bytes
}

// Elements is the product of the shape.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// MaxHeader bounds the JSON header, as the reference implementation does.
const MaxHeader = 100 << 20

// widths are bytes an element.
var widths = map[string]int64{"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8}
