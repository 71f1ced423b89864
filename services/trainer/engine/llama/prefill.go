package llama

import (
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// Prefill fills the cache of a decode graph of T positions with the first P tokens of each row at once: ids [B, P] →
// k_out.l, v_out.l [B, KV, T, hd]. Shorter rows are padded; what stands behind their end is overwritten by decoding
// before it is seen. Nothing above the last layer's keys and values is computed.
func Prefill(c Config, B, P, T int) (*tg.Graph, error) {
	return tg.Build("prefill", func(g *tg.Graph) {
		n := newNet(g, c)
		n.hidden(g.Input("ids_prompt", tg.I64, B, P), n.causal(B, P, func(l int, k, v *tg.T) {
			for i, x := range []*tg.T{k, v} { // in a fixed order: equal graphs, equal bytes
				sh := []int{B, c.KVHeads, T, c.HeadDim}
				if P < T {
					x = g.Emit("Pad", nil, tg.F32, sh, x, g.Ints(0, 0, 0, 0, 0, 0, T-P, 0))
				}
				g.Output(fmt.Sprintf("%s_out.%d", []string{"k", "v"}[i], l), x)
			}
		}))
	})
}
