package llama

import "github.com/provenir/provenir/services/trainer/engine/tg"

// Grad is one micro-batch → measures and the flat gradient. bonus builds the entropy term into the loss.
func Grad(c Config, B, T int, bonus bool) (*tg.Graph, error) {
	return tg.Build("grad", func(g *tg.Graph) {
		n := newNet(g, c)
		loss, measures := n.loss(newBatch(g, B, T, bonus))
		g.Output("measures", measures)
		g.Output("grad", n.flatGrad(loss))
	})
}

// Step is a whole optimizer step in one graph, where one micro-batch is the batch: measures, grad_norm, and the new
// p, m, v in memory of their own, so that a step that went wrong can be dropped.
func Step(c Config, B, T int, bonus bool) (*tg.Graph, error) {
	return tg.Build("step", func(g *tg.Graph) {
		n := newNet(g, c)
		b := newBatch(g, B, T, bonus)
		loss, measures := n.loss(b)
		norm := adamw(g, c, n.flatGrad(loss), b.h)
		g.Output("measures", measures)
		g.Output("grad_norm", norm)
	})
}

// Apply is the second half of Step, for an accumulated gradient.
func Apply(c Config) (*tg.Graph, error) {
	return tg.Build("apply", func(g *tg.Graph) {
		hyper := g.Input("hyper", tg.F32, numHyper)
		grad := g.Input("grad", tg.F32, Count(c.Trained()))
		g.Output("grad_norm", adamw(g, c, grad, func(i int) *tg.T { return tg.Slice(hyper, 0, i, i+1) }))
	})
}

func (n *net) flatGrad(loss *tg.T) *tg.T {
	var ws, flat []*tg.T
	for _, p := range n.Trained() {
		ws = append(ws, n.w[p.Name])
	}
	for _, d := range tg.Grad(loss, ws...) {
		flat = append(flat, tg.Reshape(d, tg.Size(d.Shape)))
	}
	return tg.Concat(0, flat...)
}

// adamw clips by the global norm and updates p, m, v (arXiv 1711.05101: decay apart from the gradient).
func adamw(g *tg.Graph, c Config, grad *tg.T, h func(i int) *tg.T) (norm *tg.T) {
	size, decayed := Count(c.Trained()), c.Decayed()
	p, m, v := g.Input("p", tg.F32, size), g.Input("m", tg.F32, size), g.Input("v", tg.F32, size)
	one := g.Scalar(1)
	norm = tg.Sqrt(tg.Sum(tg.Mul(grad, grad), true))
	grad = tg.Mul(grad, tg.Min(one, tg.Div(h(hMaxNorm), tg.Add(norm, g.Scalar(1e-6)))))
	m = tg.Add(tg.Mul(m, h(hBeta1)), tg.Mul(grad, tg.Sub(one, h(hBeta1))))
	v = tg.Add(tg.Mul(v, h(hBeta2)), tg.Mul(tg.Mul(grad, grad), tg.Sub(one, h(hBeta2))))
	den := tg.Add(tg.Sqrt(tg.Mul(v, tg.Div(one, h(hBias2)))), h(hEps))
	update := tg.Div(tg.Mul(m, tg.Div(h(hLR), h(hBias1))), den)
	keep := tg.Expand(tg.Sub(one, tg.Mul(h(hLR), h(hDecay))), decayed)
	if decayed < size {
		keep = tg.Concat(0, keep, tg.Expand(one, size-decayed))
	}
	g.Output("p_out", tg.Sub(tg.Mul(p, keep), update))
	g.Output("m_out", m)
	g.Output("v_out", v)
	return norm
}
