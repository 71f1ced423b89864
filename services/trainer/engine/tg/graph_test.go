package tg_test

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/provenir/provenir/services/trainer/engine/tg"
)

// What does not fit is an error with its shapes, not a panic and not a model.
func TestBuildRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(g *Graph, a, b *T)
		want string
	}{
		{"broadcast", func(_ *Graph, a, b *T) { Add(a, b) }, "[2 3] and [4 5]"},
		{"matmul", func(_ *Graph, a, b *T) { MatMul(a, b) }, "product"},
		{"gemm", func(_ *Graph, a, b *T) { Gemm(a, b, false, true) }, "gemm"},
		{"reshape", func(_ *Graph, a, _ *T) { Reshape(a, 7) }, "reshape [2 3] to [7]"},
		{"expand", func(_ *Graph, a, _ *T) { Expand(a, 1, 3) }, "expand"},
		{"slice", func(_ *Graph, a, _ *T) { Slice(a, 1, 2, 9) }, "slice 2:9"},
		{"transpose", func(_ *Graph, a, _ *T) { Transpose(a, 0) }, "transpose"},
		{"axis", func(_ *Graph, a, _ *T) { a.Dim(5) }, "axis 5"},
		{"norm", func(_ *Graph, a, b *T) { RMSNorm(a, b, 1e-5) }, "norm"},
		{"constant", func(g *Graph, _, _ *T) { g.Const([]float32{1}, 2) }, "constant"},
		{"pick of no log-softmax", func(g *Graph, a, _ *T) { PickLogp(a, g.Ints(0, 1)) }, "PickLogp"},
		{"gradient of a vector", func(_ *Graph, a, _ *T) { Grad(Neg(a), a) }, "loss of shape"},
		{"attribute", func(g *Graph, a, _ *T) { g.Emit("Op", Attrs{"x": 1.5}, F32, a.Shape, a) }, "attribute x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := Build("broken", func(g *Graph) { c.f(g, g.Input("a", F32, 2, 3), g.Input("b", F32, 4, 5)) })
			if err == nil || g != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", g, err, c.want)
			}
		})
	}
}

// Only what an output needs is written, equal constants once, and the same calls give the same bytes.
func TestMarshal(t *testing.T) {
	build := func() *Graph {
		g, err := Build("g", func(g *Graph) {
			x := g.Input("x", F32, 4)
			y := Mul(Mul(x, g.Scalar(2)), g.Scalar(2))
			Exp(Exp(y)) // nobody asks for it
			g.Output("y", y)
			g.Output("same", y)
			g.Output("x_out", x)
		})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := build()
	if n := g.NumNodes(); n != 4 { // two products, two copies for the further outputs
		t.Errorf("%d nodes, want 4", n)
	}
	raw := g.Marshal()
	if !bytes.Equal(raw, build().Marshal()) {
		t.Error("the same graph gave other bytes")
	}
	if n := bytes.Count(raw, []byte("\x42\x02c")); n != 1 { // field 8, a name of two letters
		t.Errorf("the constant stands %d times in the model", n)
	}
	if bytes.Contains(raw, []byte("Exp")) {
		t.Error("a dead node was written")
	}
}

// A loss that does not depend on a value has gradient zero there.
func TestGradOfIndependent(t *testing.T) {
	g, err := Build("zero", func(g *Graph) {
		a, b := g.Input("a", F32, 3), g.Input("b", F32, 2, 2)
		d := Grad(Sum(Mul(a, StopGrad(a)), false), a, b)
		g.Output("da", d[0])
		g.Output("db", d[1])
	})
	if err != nil {
		t.Fatal(err)
	}
	out := evaluate(t, g, map[string][]float32{"a": {1, 2, 3}, "b": make([]float32, 4)}, nil)
	for i, want := range []float32{1, 2, 3} {
		if out["da"][i] != want {
			t.Errorf("through the stop: %v", out["da"])
		}
	}
	for _, v := range out["db"] {
		if v != 0 {
			t.Errorf("independent: %v", out["db"])
		}
	}
}
