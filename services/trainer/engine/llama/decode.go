package llama

import (
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// Pick says how a decode graph chooses the next token.
type Pick int

// Ways to choose.
const (
	Sampled   Pick = iota // by inverting the distribution at u
	Greedy                // the most likely; logp and entropy at temperature 1
	Undecided             // gives all log probabilities: the caller filters (top-p, top-k, min-p)
)

// Decode advances B rows by one position. ids [B, 1] are the tokens at positions pos [B]; the cache k.l, v.l
// [B, KV, T, hd] is written in place when it is bound as k_out.l, v_out.l as well.
func Decode(c Config, B, T int, pick Pick) (*tg.Graph, error) {
	return tg.Build("decode", func(g *tg.Graph) {
		n := newNet(g, c)
		ids, pos, it := g.Input("ids", tg.I64, B, 1), g.Input("pos", tg.I64, B), g.Input("inv_temp", tg.F32, 1)
		ls := tg.LogSoftmax(n.logits(n.hidden(ids, n.cached(pos, B, T)), it))
		switch pick {
		case Sampled:
			g.Output("next", n.invert(ls, g.Input("u", tg.F32, B, 1)))
		case Greedy:
			g.Output("next", g.Emit("ArgMax", tg.Attrs{"axis": 1, "keepdims": 1}, tg.I64, []int{B, 1}, ls))
		case Undecided:
			g.Output("all", ls)
		}
		if pick != Undecided {
			g.Output("logp", tg.Reshape(tg.Pick(ls, tg.Reshape(g.Outputs()[len(g.Outputs())-1], B)), B, 1))
		}
		g.Output("entropy", tg.Reshape(entropy(ls), B, 1))
	})
}

// cached is attention of one new position a row over the keys and values so far.
func (n *net) cached(pos *tg.T, B, T int) attention {
	g := n.g
	cos, sin := n.Rope.tables(T, n.HeadDim)
	ct, st := g.Const(cos, T, n.HeadDim/2), g.Const(sin, T, n.HeadDim/2)
	rope := func(x *tg.T, h int) *tg.T {
		x = tg.Reshape(x, B, 1, h*n.HeadDim)
		return g.Emit("RotaryEmbedding", tg.Attrs{"num_heads": h}, tg.F32, x.Shape, x, ct, st, tg.Reshape(pos, B, 1))
	}
	one := func(x *tg.T) *tg.T { return tg.Reshape(x, B, n.KVHeads, 1, n.HeadDim) }
	store := func(name string, l int, x *tg.T) *tg.T {
		cache := g.Input(fmt.Sprintf("%s.%d", name, l), tg.F32, B, n.KVHeads, T, n.HeadDim)
		out := g.Emit("TensorScatter", nil, tg.F32, cache.Shape, cache, one(x), pos)
		g.Output(fmt.Sprintf("%s_out.%d", name, l), out)
		return out
	}
	return func(l int, q, k, v *tg.T) *tg.T {
		keys, values := store("k", l, rope(k, n.KVHeads)), store("v", l, v)
		q = tg.Reshape(rope(q, n.Heads), B, n.Heads, 1, n.HeadDim)
		y := g.Emit("Attention", nil, tg.F32, q.Shape, q, keys, values, nil, nil, nil, tg.Add(pos, g.Ints(1)))
		return tg.Reshape(y, B, n.Heads*n.HeadDim)
	}
}

// invert draws from the distribution: tok = #{cdf ≤ u·cdf[V−1]}. Scaling by the last entry keeps the rounding of a large
// vocabulary's sum from ever choosing the last id, which is often a reserved one.
func (n *net) invert(ls, u *tg.T) *tg.T {
	g, B := n.g, ls.Dim(0)
	cdf := g.Emit("CumSum", nil, tg.F32, ls.Shape, tg.Exp(ls), g.Ints(1))
	at := tg.Mul(u, tg.Slice(cdf, 1, n.Vocab-1, n.Vocab))
	below := tg.Cast(tg.Compare("LessOrEqual", cdf, at), tg.F32)
	tok := tg.Min(tg.Cast(tg.Sum(below, true, -1), tg.I64), g.Ints(n.Vocab-1))
	return tg.Reshape(tok, B, 1)
}
