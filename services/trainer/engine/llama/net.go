package llama

import "github.com/provenir/provenir/services/trainer/engine/tg"

// net is the network in one graph: its weights by name, as inputs.
type net struct {
	Config
	g     *tg.Graph
	w     map[string]*tg.T
	scale *tg.T // of the adapters: an input, so that 0 gives the frozen network in the same session
}

func newNet(g *tg.Graph, c Config) *net {
	n := &net{Config: c, g: g, w: map[string]*tg.T{}}
	for _, ps := range [][]Param{c.Frozen(), c.Trained()} {
		for _, p := range ps {
			n.w[p.Name] = g.Input(p.Name, tg.F32, p.Shape...)
		}
	}
	if c.LoRA != nil {
		n.scale = g.Input("lora_scale", tg.F32, 1)
	}
	return n
}

// project is x times the transpose of the module's weight, plus its bias and its adapter.
func (n *net) project(x *tg.T, module string) *tg.T {
	y := tg.Gemm(x, n.w[module+".weight"], false, true)
	if b := n.w[module+".bias"]; b != nil {
		y = tg.Add(y, b)
	}
	if a := n.w[module+".lora_A.weight"]; a != nil {
		d := tg.Gemm(tg.Gemm(x, a, false, true), n.w[module+".lora_B.weight"], false, true)
		y = tg.Add(y, tg.Mul(d, n.scale))
	}
	return y
}

func (n *net) norm(x *tg.T, name string) *tg.T { return tg.RMSNorm(x, n.w[name], n.Eps) }

// attention maps the projected q, k, v of layer l, each [rows, heads·hd], to [rows, heads·hd].
type attention func(l int, q, k, v *tg.T) *tg.T

// hidden is the residual stream after the last norm, [rows, dim].
func (n *net) hidden(ids *tg.T, att attention) *tg.T {
	x := tg.Reshape(tg.Gather(n.w[embedName], ids), tg.Size(ids.Shape), n.Dim)
	for l := range n.Layers {
		p := layer(l)
		h := n.norm(x, p+"input_layernorm.weight")
		a := att(l, n.project(h, p+"self_attn.q_proj"), n.project(h, p+"self_attn.k_proj"), n.project(h, p+"self_attn.v_proj"))
		x = tg.Add(x, n.project(a, p+"self_attn.o_proj"))
		h = n.norm(x, p+"post_attention_layernorm.weight")
		gated := tg.Mul(tg.SiLU(n.project(h, p+"mlp.gate_proj")), n.project(h, p+"mlp.up_proj"))
		x = tg.Add(x, n.project(gated, p+"mlp.down_proj"))
	}
	return n.norm(x, normName)
}

// logits over the vocabulary, scaled by the inverse temperature; the scale is put on the narrow side of the product.
func (n *net) logits(x, invTemp *tg.T) *tg.T {
	name := headName
	if n.Tied {
		name = embedName
	}
	return tg.Gemm(tg.Mul(x, invTemp), n.w[name], false, true)
}

// entropy of rows of log probabilities [n, V], in nats, as [n]. Each row is a product of its own: a plain sum would round
// differently with the row's alignment in memory, and so with the number of rows before it.
func entropy(ls *tg.T) *tg.T {
	n, v := ls.Dim(0), ls.Dim(1)
	h := tg.MatMul(tg.Reshape(tg.Exp(ls), n, 1, v), tg.Reshape(ls, n, v, 1))
	return tg.Neg(tg.Reshape(h, n))
}
