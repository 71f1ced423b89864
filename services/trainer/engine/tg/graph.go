// Package tg builds ONNX graphs with static shapes and differentiates them in reverse mode.
//
// Each constructor emits one node, infers its shape and records how a cotangent of its result becomes cotangents of its
// inputs; Grad walks the nodes backwards and emits those. It is pure: it makes bytes that package onnx can run. It knows
// the standard operators of opset 24 and one contributed one, and nothing of models.
package tg

import (
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/trainer/engine/onnxpb"
)

// Opset is the operator set that graphs declare: the first with TensorScatter.
const Opset = 24

// DType is an element type.
type DType = onnxpb.DataType

// Element types.
const (
	F32  = onnxpb.Float
	I64  = onnxpb.Int64
	I32  = onnxpb.Int32
	Bool = onnxpb.Bool
)

// T is one value of a graph.
type T struct {
	g     *Graph
	name  string
	Shape []int
	DT    DType
	node  *node
	vjp   func(dy *T) []*T // cotangents of node.wrt(); nil entries are none
}

type node struct {
	op      string
	domain  string
	in, out []*T
	attrs   []onnxpb.Attribute
	diff    []*T // what vjp differentiates by, where that is not in
}

func (n *node) wrt() []*T {
	if n.diff != nil {
		return n.diff
	}
	return n.in
}

// Graph is an ONNX graph under construction.
type Graph struct {
	name    string
	nodes   []*node
	inputs  []*T
	outputs []*T
	inits   []onnxpb.Tensor
	consts  map[string]*T
	values  int
}

// misuse is a graph that cannot be: it unwinds the builder up to Build, which makes an error of it.
type misuse string

func fail(format string, args ...any) { panic(misuse(fmt.Sprintf(format, args...))) }

// Build runs the builder function on an empty graph. Shapes that do not fit are an error with their numbers.
func Build(name string, f func(g *Graph)) (g *Graph, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, ok := r.(misuse)
			if !ok {
				panic(r)
			}
			g, err = nil, fmt.Errorf("build graph %s: %s", name, string(m))
		}
	}()
	g = &Graph{name: name, consts: map[string]*T{}}
	f(g)
	return g, nil
}

// Name is the value's name in the model.
func (t *T) Name() string { return t.name }

// Rank is the number of axes.
func (t *T) Rank() int { return len(t.Shape) }

// Dim is the length of an axis; negative axes count from the end.
func (t *T) Dim(i int) int { return t.Shape[axis(i, t.Rank())] }

func axis(i, rank int) int {
	if i < 0 {
		i += rank
	}
	if i < 0 || i >= rank {
		fail("axis %d of rank %d", i, rank)
	}
	return i
}

// Size is the number of elements of a shape.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Name of the graph.
func (g *Graph) Name() string { return g.name }

// Inputs in the order of their declaration.
func (g *Graph) Inputs() []*T { return g.inputs }

// Outputs in the order of their declaration.
func (g *Graph) Outputs() []*T { return g.outputs }

// Input declares a graph input.
func (g *Graph) Input(name string, dt DType, shape ...int) *T {
	t := &T{g: g, name: name, DT: dt, Shape: shape}
	g.inputs = append(g.inputs, t)
	return t
}

// Output names t as a graph output. A value that is an input, a constant or an output already is copied.
func (g *Graph) Output(name string, t *T) {
	if t.node == nil || slices.Contains(g.outputs, t) {
		t = g.emit("Identity", nil, []*T{t}, t.DT, t.Shape)
	}
	t.name = name
	g.outputs = append(g.outputs, t)
}

// Emit adds any operator. Its results have no gradient.
func (g *Graph) Emit(op string, a Attrs, dt DType, shape []int, in ...*T) *T {
	return g.emit(op, a, in, dt, shape)
}

func (g *Graph) emit(op string, a Attrs, in []*T, dt DType, shape []int) *T {
	return g.emitN(op, a, in, []DType{dt}, [][]int{shape})[0]
}

func (g *Graph) emitN(op string, a Attrs, in []*T, dts []DType, shapes [][]int) []*T {
	n := &node{op: op, in: in}
	n.attrs, n.domain = a.encode()
	for i := range dts {
		g.values++
		n.out = append(n.out, &T{g: g, name: fmt.Sprintf("t%d", g.values), DT: dts[i], Shape: slices.Clone(shapes[i]), node: n})
	}
	g.nodes = append(g.nodes, n)
	return n.out
}
