package llama

import (
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// Param is one weight. Decay says whether weight decay applies: to matrices, not to norms and biases.
type Param struct {
	Name  string
	Shape []int
	Decay bool
}

// Size is the number of elements.
func (p Param) Size() int { return tg.Size(p.Shape) }

// Count sums the sizes.
func Count(ps []Param) (n int) {
	for _, p := range ps {
		n += p.Size()
	}
	return n
}

// Names of weights outside the layers.
const (
	embedName = "model.embed_tokens.weight"
	headName  = "lm_head.weight"
	normName  = "model.norm.weight"
)

func layer(l int) string { return fmt.Sprintf("model.layers.%d.", l) }

// linear lists the projections of one layer.
func (c Config) linear(l int) []Param {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	p := layer(l)
	return []Param{
		{p + "self_attn.q_proj.weight", []int{q, c.Dim}, true},
		{p + "self_attn.k_proj.weight", []int{kv, c.Dim}, true},
		{p + "self_attn.v_proj.weight", []int{kv, c.Dim}, true},
		{p + "self_attn.o_proj.weight", []int{c.Dim, q}, true},
		{p + "mlp.gate_proj.weight", []int{c.FFN, c.Dim}, true},
		{p + "mlp.up_proj.weight", []int{c.FFN, c.Dim}, true},
		{p + "mlp.down_proj.weight", []int{c.Dim, c.FFN}, true},
	}
}

// Base lists the network's own weights in the order of the flat vector: those with decay first, so that the optimizer
// needs one boundary and no mask.
func (c Config) Base() []Param {
	out := []Param{{embedName, []int{c.Vocab, c.Dim}, true}}
	if !c.Tied {
		out = append(out, Param{headName, []int{c.Vocab, c.Dim}, true})
	}
	for l := range c.Layers {
		out = append(out, c.linear(l)...)
	}
	for l := range c.Layers {
		out = append(out, Param{layer(l) + "input_layernorm.weight", []int{c.Dim}, false},
			Param{layer(l) + "post_attention_layernorm.weight", []int{c.Dim}, false})
		if c.QKVBias {
			for i, n := range []string{"q", "k", "v"} {
				heads := []int{c.Heads, c.KVHeads, c.KVHeads}[i]
				out = append(out, Param{layer(l) + "self_attn." + n + "_proj.bias", []int{heads * c.HeadDim}, false})
			}
		}
	}
	return append(out, Param{normName, []int{c.Dim}, false})
}

// Trained lists what the optimizer updates, in the order of the flat vector.
func (c Config) Trained() []Param {
	if c.LoRA != nil {
		return c.adapters()
	}
	return c.Base()
}

// Frozen lists what stays as it was loaded.
func (c Config) Frozen() []Param {
	if c.LoRA != nil {
		return c.Base()
	}
	return nil
}

// Decayed is how many leading elements of the flat vector weight decay applies to.
func (c Config) Decayed() (n int) {
	for _, p := range c.Trained() {
		if p.Decay {
			n += p.Size()
		}
	}
	return n
}
