package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Reader streams the tensors of a file in the order of their bytes.
type Reader struct {
	r        io.Reader
	tensors  []Tensor
	metadata map[string]string
	next     int
	left     int64 // bytes of the present tensor that were not read
}

// NewReader reads and checks the header of a file of size bytes.
func NewReader(r io.Reader, size int64) (*Reader, error) {
	ts, meta, _, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	return &Reader{r: r, tensors: ts, metadata: meta}, nil
}

// Tensors lists the entries in the order of their bytes.
func (r *Reader) Tensors() []Tensor { return r.tensors }

// Metadata is the header's __metadata__; nil without one.
func (r *Reader) Metadata() map[string]string { return r.metadata }

// Next goes to the next tensor; io.EOF after the last. What was not read of the one before is skipped.
func (r *Reader) Next() (Tensor, error) {
	if r.left > 0 {
		n, err := io.CopyN(io.Discard, r.r, r.left)
		if r.left -= n; err != nil {
			return Tensor{}, r.cut(err)
		}
	}
	if r.next == len(r.tensors) {
		return Tensor{}, io.EOF
	}
	t := r.tensors[r.next]
	r.next++
	r.left = t.Length
	return t, nil
}

func (r *Reader) cut(err error) error {
	t := r.tensors[r.next-1]
	return &Error{Tensor: t.Name, Byte: t.Offset + t.Length - r.left, Detail: "the file ends inside the tensor", Err: err}
}

// Float32 reads the present tensor into dst, which must have its number of elements. F16, BF16 and F64 are converted.
func (r *Reader) Float32(dst []float32) error {
	t := r.tensors[r.next-1]
	if int64(len(dst)) != t.Elements() || r.left != t.Length {
		return &Error{Tensor: t.Name, Byte: t.Offset, Detail: fmt.Sprintf("%d elements, want %d", t.Elements(), len(dst))}
	}
	convert, ok := toFloat32[t.DType]
	if !ok {
		return &Error{Tensor: t.Name, Byte: t.Offset, Detail: "dtype " + t.DType + " is not a weight; F32, F16, BF16 and F64 are"}
	}
	width := int(widths[t.DType])
	buf := make([]byte, min(t.Length, 1<<20))
	for len(dst) > 0 {
		n := min(len(dst), len(buf)/width)
		if _, err := io.ReadFull(r.r, buf[:n*width]); err != nil {
			return r.cut(err)
		}
		for i := range n {
			dst[i] = convert(buf[i*width:])
		}
		dst, r.left = dst[n:], r.left-int64(n*width)
	}
	return nil
}

var toFloat32 = map[string]func(b []byte) float32{
	"F32":  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	"F64":  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	"BF16": func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) },
	"F16":  func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) },
}

// half converts IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case 0: // subnormal: frac·2⁻²⁴
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
