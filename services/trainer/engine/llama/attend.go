package llama

import (
	"math"

	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// masked is added to scores that must not be seen; exp of it is 0 in float32.
const masked = -1e9

// causal is self-attention over whole sequences [B, T], composed of products so that it can be differentiated. see, if it
// is not nil, is shown the rotated keys and the values of each layer, [B, KV, T, hd].
func (n *net) causal(B, T int, see func(l int, k, v *tg.T)) attention {
	cos, sin := n.Rope.tables(T, n.HeadDim)
	ct, st := n.g.Const(cos, T, n.HeadDim/2), n.g.Const(sin, T, n.HeadDim/2)
	// The scale of the scores, 1/√hd, rides on the rotation of the queries.
	for i := range cos {
		s := float32(1 / math.Sqrt(float64(n.HeadDim)))
		cos[i], sin[i] = cos[i]*s, sin[i]*s
	}
	cq, sq := n.g.Const(cos, T, n.HeadDim/2), n.g.Const(sin, T, n.HeadDim/2)
	later := make([]float32, T*T)
	for i := range T {
		for j := i + 1; j < T; j++ {
			later[i*T+j] = masked
		}
	}
	mask := n.g.Const(later, T, T)
	heads := func(x *tg.T, h int) *tg.T { return tg.Transpose(tg.Reshape(x, B, T, h, n.HeadDim), 0, 2, 1, 3) }
	return func(l int, q, k, v *tg.T) *tg.T {
		q, k, v = tg.RoPE(heads(q, n.Heads), cq, sq), tg.RoPE(heads(k, n.KVHeads), ct, st), heads(v, n.KVHeads)
		if see != nil {
			see(l, k, v)
		}
		if share := n.Heads / n.KVHeads; share > 1 { // grouped queries: broadcast over the heads that share a key
			q = tg.Reshape(q, B, n.KVHeads, share, T, n.HeadDim)
			k = tg.Reshape(k, B, n.KVHeads, 1, T, n.HeadDim)
			v = tg.Reshape(v, B, n.KVHeads, 1, T, n.HeadDim)
		}
		p := tg.Softmax(tg.Add(tg.MatMul(q, tg.SwapLast(k)), mask))
		o := tg.Reshape(tg.MatMul(p, v), B, n.Heads, T, n.HeadDim)
		return tg.Reshape(tg.Transpose(o, 0, 2, 1, 3), B*T, n.Heads*n.HeadDim)
	}
}
