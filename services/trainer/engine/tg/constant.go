package tg

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/provenir/provenir/services/trainer/engine/onnxpb"
)

// constant makes an initializer; equal constants are one.
func (g *Graph) constant(dt DType, shape []int, raw []byte) *T {
	key := fmt.Sprint(dt, shape, string(raw))
	if t, ok := g.consts[key]; ok {
		return t
	}
	t := &T{g: g, name: fmt.Sprintf("c%d", len(g.inits)), DT: dt, Shape: shape}
	g.inits = append(g.inits, onnxpb.Tensor{Name: t.name, Type: dt, Dims: shape, Raw: raw})
	g.consts[key] = t
	return t
}

// Const makes an f32 constant.
func (g *Graph) Const(v []float32, shape ...int) *T {
	if len(v) != Size(shape) {
		fail("constant of %d values in shape %v", len(v), shape)
	}
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return g.constant(F32, shape, raw)
}

// Scalar makes an f32 constant of one element.
func (g *Graph) Scalar(v float64) *T { return g.Const([]float32{float32(v)}, 1) }

// Ints makes an int64 vector.
func (g *Graph) Ints(v ...int) *T {
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(int64(x)))
	}
	return g.constant(I64, []int{len(v)}, raw)
}

// Range is the int64 vector 0 … n−1.
func (g *Graph) Range(n int) *T {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return g.Ints(v...)
}

// External declares an initializer whose bytes lie in a file, so that frozen weights are mapped and not copied.
func (g *Graph) External(name string, dt DType, shape []int, file string, offset, length int64) *T {
	g.inits = append(g.inits, onnxpb.Tensor{Name: name, Type: dt, Dims: shape,
		External: &onnxpb.External{Location: file, Offset: offset, Length: length}})
	return &T{g: g, name: name, DT: dt, Shape: shape}
}
