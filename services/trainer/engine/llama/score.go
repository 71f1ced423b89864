package llama

import "github.com/provenir/provenir/services/trainer/engine/tg"

// TopK is how many candidates a score graph with a top-k list gives; callers take a prefix.
const TopK = 20

// logp gives the log probability of each next token and the entropy there, both [B, T−1]. full keeps the entropy and the
// whole log-softmax differentiable, at the cost of a second pass over the vocabulary.
func (n *net) logp(ids, invTemp *tg.T, full bool) (lp, ent, ls *tg.T) {
	B, T := ids.Dim(0), ids.Dim(1)
	x := n.hidden(ids, n.causal(B, T, nil))
	// The last position predicts nothing that is known: drop it before the vocabulary product.
	x = tg.Reshape(tg.Slice(tg.Reshape(x, B, T, n.Dim), 1, 0, T-1), B*(T-1), n.Dim)
	ls = tg.LogSoftmax(n.logits(x, invTemp))
	next := tg.Reshape(tg.Slice(ids, 1, 1, T), B*(T-1))
	if full {
		lp = tg.Pick(ls, next)
	} else {
		lp = tg.PickLogp(ls, next)
		ls = tg.StopGrad(ls)
	}
	return tg.Reshape(lp, B, T-1), tg.Reshape(entropy(ls), B, T-1), ls
}

// Score is ids [B, T], inv_temp → logp, entropy [B, T−1], and top_ids, top_logp [B·(T−1), TopK] if asked for.
func Score(c Config, B, T int, topK bool) (*tg.Graph, error) {
	return tg.Build("score", func(g *tg.Graph) {
		n := newNet(g, c)
		ids, it := g.Input("ids", tg.I64, B, T), g.Input("inv_temp", tg.F32, 1)
		lp, ent, ls := n.logp(ids, it, false)
		g.Output("logp", lp)
		g.Output("entropy", ent)
		if topK {
			k := min(TopK, c.Vocab)
			values, indices := g.TopK(ls, k)
			g.Output("top_logp", values)
			g.Output("top_ids", indices)
		}
	})
}
