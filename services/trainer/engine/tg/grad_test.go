package tg_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/onnx/onnxtest"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	. "github.com/provenir/provenir/services/trainer/engine/tg"
)

// evaluate runs a graph of f32 inputs (and int64 "idx") and gives its outputs by name.
func evaluate(t *testing.T, g *Graph, in map[string][]float32, idx []int64) map[string][]float32 {
	t.Helper()
	cache := ort.New(onnxtest.Open(t), onnx.SessionConfig{Threads: 1})
	defer cache.Close()
	s, err := cache.Get(ort.Key{Kind: g.Name()}, false, func() (*Graph, error) { return g, nil })
	if err != nil {
		t.Fatal(err)
	}
	v, out := ort.Values{}, map[string][]float32{}
	for _, x := range g.Inputs() {
		if x.DT == I64 {
			err = v.I64(x.Name(), idx, x.Shape...)
		} else {
			err = v.F32(x.Name(), in[x.Name()], x.Shape...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, y := range g.Outputs() {
		out[y.Name()] = make([]float32, Size(y.Shape))
		if err := v.F32(y.Name(), out[y.Name()], y.Shape...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Run(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every operator's gradient against central differences of the same graph, contracted with a random cotangent.
func TestGradients(t *testing.T) {
	type shapes = [][]int
	for _, c := range []struct {
		name   string
		shapes shapes
		idx    []int
		f      func(g *Graph, x []*T, idx *T) *T
	}{
		{"add broadcast", shapes{{3, 4}, {4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Add(x[0], x[1]) }},
		{"sub broadcast", shapes{{3, 1}, {3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Sub(x[0], x[1]) }},
		{"mul", shapes{{3, 4}, {1, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Mul(x[0], x[1]) }},
		{"div", shapes{{3, 4}, {3, 4}}, nil, func(g *Graph, x []*T, _ *T) *T { return Div(x[0], Add(Mul(x[1], x[1]), g.Scalar(1))) }},
		{"min max", shapes{{3, 4}, {3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Mul(Min(x[0], x[1]), Max(x[0], x[1])) }},
		{"where", shapes{{3, 4}, {3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Where(Compare("Less", x[0], x[1]), Mul(x[0], x[0]), x[1]) }},
		{"neg exp", shapes{{5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Exp(Neg(x[0])) }},
		{"log sqrt", shapes{{5}}, nil, func(g *Graph, x []*T, _ *T) *T { return Log(Sqrt(Add(Mul(x[0], x[0]), g.Scalar(1)))) }},
		{"sigmoid", shapes{{5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Sigmoid(x[0]) }},
		{"softplus", shapes{{5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Softplus(x[0]) }},
		{"silu", shapes{{5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return SiLU(x[0]) }},
		{"sum mean", shapes{{2, 3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Mul(Sum(x[0], true, 1), Mean(x[0], true, -1)) }},
		{"expand", shapes{{1, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Mul(Expand(x[0], 3, 4), Expand(x[0], 3, 4)) }},
		{"reshape transpose", shapes{{2, 3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Transpose(Reshape(x[0], 6, 4), 1, 0) }},
		{"swap last", shapes{{2, 3, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return SwapLast(x[0]) }},
		{"slice concat", shapes{{3, 4}, {3, 2}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Concat(1, Slice(x[0], 1, 1, 3), x[1], Slice(x[0], -1, 0, 1)) }},
		{"matmul broadcast", shapes{{2, 2, 3, 4}, {2, 1, 4, 5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return MatMul(x[0], x[1]) }},
		{"gemm", shapes{{3, 4}, {4, 5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Gemm(x[0], x[1], false, false) }},
		{"gemm transposed a", shapes{{4, 3}, {4, 5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Gemm(x[0], x[1], true, false) }},
		{"gemm transposed b", shapes{{3, 4}, {5, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Gemm(x[0], x[1], false, true) }},
		{"gemm transposed both", shapes{{4, 3}, {5, 4}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Gemm(x[0], x[1], true, true) }},
		{"softmax", shapes{{3, 5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return Softmax(x[0]) }},
		{"log softmax", shapes{{3, 5}}, nil, func(_ *Graph, x []*T, _ *T) *T { return LogSoftmax(x[0]) }},
		{"rms norm", shapes{{3, 8}, {8}}, nil, func(_ *Graph, x []*T, _ *T) *T { return RMSNorm(x[0], x[1], 1e-5) }},
		{"rope", shapes{{2, 2, 3, 8}}, nil, func(g *Graph, x []*T, _ *T) *T {
			cos, sin := make([]float32, 12), make([]float32, 12)
			for i := range cos {
				cos[i], sin[i] = float32(math.Cos(float64(i))), float32(math.Sin(float64(i)))
			}
			return RoPE(x[0], g.Const(cos, 3, 4), g.Const(sin, 3, 4))
		}},
		{"gather twice the same row", shapes{{6, 3}}, []int{4}, func(_ *Graph, x []*T, idx *T) *T { return Gather(x[0], idx) }},
		{"gather of a large table", shapes{{5000, 1}}, []int{4}, func(_ *Graph, x []*T, idx *T) *T { return Gather(x[0], idx) }},
		{"pick", shapes{{4, 6}}, []int{4}, func(_ *Graph, x []*T, idx *T) *T { return Pick(LogSoftmax(x[0]), idx) }},
		{"pick logp", shapes{{4, 6}}, []int{4}, func(_ *Graph, x []*T, idx *T) *T { return PickLogp(LogSoftmax(x[0]), idx) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			in := map[string][]float32{}
			draw := func(n int) []float32 {
				v := make([]float32, n)
				for i := range v {
					v[i] = float32(rng.NormFloat64())
				}
				return v
			}
			g, err := Build("gradient", func(g *Graph) {
				var xs []*T
				for i, sh := range c.shapes {
					name := string(rune('a' + i))
					xs = append(xs, g.Input(name, F32, sh...))
					in[name] = draw(Size(sh))
				}
				var idx *T
				if c.idx != nil {
					idx = g.Input("idx", I64, c.idx...)
				}
				y := c.f(g, xs, idx)
				in["cotangent"] = draw(Size(y.Shape))
				loss := Sum(Mul(y, g.Input("cotangent", F32, y.Shape...)), false)
				g.Output("loss", Reshape(loss, 1))
				for i, d := range Grad(loss, xs...) {
					g.Output("d"+string(rune('a'+i)), d)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			idx := []int64{3, 0, 3, 5}
			base := evaluate(t, g, in, idx)
			const h = 1e-2
			for i := range c.shapes {
				name := string(rune('a' + i))
				x := in[name]
				for k := 0; k < len(x); k += 1 + len(x)/40 {
					old := x[k]
					x[k] = old + h
					up := float64(evaluate(t, g, in, idx)["loss"][0])
					x[k] = old - h
					down := float64(evaluate(t, g, in, idx)["loss"][0])
					x[k] = old
					got, want := float64(base["d"+name][k]), (up-down)/(2*h)
					if math.Abs(got-want) > 5e-3*(1+math.Abs(want)) {
						t.Errorf("d%s[%d] is %g, differences give %g", name, k, got, want)
					}
				}
			}
		})
	}
}
