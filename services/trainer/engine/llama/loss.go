package llama

import (
	"github.com/provenir/provenir/services/trainer/engine/objective"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// batch declares the inputs of a training graph.
type batch struct {
	ids       *tg.T // [B, T]
	mask      *tg.T // [B, T−1], as the following three: 1 where a token counts
	weight    *tg.T // loss weight, computed over the whole optimizer batch
	old, ref  *tg.T
	adv       *tg.T // [B, 1]
	hyper     *tg.T
	withBonus bool
}

func newBatch(g *tg.Graph, B, T int, bonus bool) batch {
	tok := func(name string) *tg.T { return g.Input(name, tg.F32, B, T-1) }
	return batch{ids: g.Input("ids", tg.I64, B, T), mask: tok("mask"), weight: tok("weight"), old: tok("old"), ref: tok("ref"),
		adv: g.Input("adv", tg.F32, B, 1), hyper: g.Input("hyper", tg.F32, numHyper), withBonus: bonus}
}

func (b batch) h(i int) *tg.T { return tg.Slice(b.hyper, 0, i, i+1) }

// loss is Σ w·ℓ + β·Σ w·k3 − c·Σ entropy with the terms of package objective, and its measures.
func (n *net) loss(b batch) (loss, measures *tg.T) {
	g := n.g
	B, W := b.mask.Dim(0), b.mask.Dim(1)
	lp, ent, _ := n.logp(b.ids, b.h(hInvTemp), b.withBonus)
	one := g.Scalar(1)
	blend := func(s, a, b *tg.T) *tg.T { return tg.Add(tg.Mul(tg.Sub(one, s), a), tg.Mul(s, b)) }
	total := func(x *tg.T) *tg.T { return tg.Sum(x, false) }
	over := func(x *tg.T) *tg.T { return total(tg.Mul(x, b.mask)) }

	// log ρ, by token or as the mean of the row
	lr := tg.Mul(tg.Sub(lp, blend(b.h(hOnPolicy), b.old, tg.StopGrad(lp))), b.mask)
	length := tg.Sum(b.mask, true, -1)
	mean := tg.Div(tg.Sum(lr, true, -1), tg.Max(length, one))
	ratio := tg.Exp(blend(b.h(hSequence), lr, tg.Expand(mean, B, W)))

	lo, hi := tg.Sub(one, b.h(hClipLow)), tg.Add(one, b.h(hClipHigh))
	free := tg.Mul(tg.Min(ratio, b.h(hDelta)), b.adv)
	cut := tg.Mul(tg.Min(tg.Max(ratio, lo), hi), b.adv)
	gain := tg.Min(free, cut)
	floor := tg.Mul(b.h(hDualClip), b.adv) // −ℓ ≥ cA where A < 0
	negative := tg.Compare("Less", b.adv, g.Scalar(0))
	bounded := tg.Where(negative, tg.Max(gain, floor), gain)
	policy := tg.Neg(total(tg.Mul(b.weight, bounded)))

	x := tg.Mul(tg.Sub(b.ref, lp), b.mask)
	limit := g.Scalar(objective.KLClamp)
	kl := k3(tg.Max(tg.Min(x, limit), tg.Neg(limit)), one)
	loss = tg.Add(policy, tg.Mul(b.h(hKL), total(tg.Mul(b.weight, kl))))
	if b.withBonus {
		loss = tg.Sub(loss, tg.Mul(b.h(hEntropy), over(ent)))
	}

	// With a sequence ratio the shares are of rows: every token of a row says the same, so it counts 1/length.
	per := blend(b.h(hSequence), b.mask, tg.Div(b.mask, tg.Max(length, one)))
	share := func(hit *tg.T) *tg.T { return total(tg.Mul(hit, per)) }
	positive := tg.Indicator("Greater", b.adv, g.Scalar(0))
	m := make([]*tg.T, NumMeasures)
	m[MPolicy], m[MLoss] = policy, loss
	m[MTokens], m[MRows] = total(b.mask), total(tg.Min(length, one))
	m[MKL], m[MKLClamped] = over(kl), over(tg.Indicator("Greater", tg.Abs(x), limit))
	m[MUpdate], m[MEntropy], m[MNLL] = over(k3(lr, one)), over(ent), tg.Neg(over(lp))
	m[MLow] = share(tg.Mul(tg.Cast(negative, tg.F32), tg.Indicator("Less", ratio, lo)))
	m[MHigh] = share(tg.Mul(positive, tg.Indicator("Greater", ratio, hi)))
	m[MDual] = share(tg.Mul(tg.Cast(negative, tg.F32), tg.Indicator("Less", gain, floor)))
	m[MRatioMax] = tg.ReduceMax(tg.Mul(ratio, b.mask), false)
	m[MRatioDev] = tg.ReduceMax(tg.Mul(tg.Abs(tg.Sub(ratio, one)), b.mask), false)
	for i := range m {
		m[i] = tg.Reshape(m[i], 1)
	}
	return tg.Reshape(loss, 1), tg.Concat(0, m...)
}

// k3 is eˣ − x − 1.
func k3(x, one *tg.T) *tg.T { return tg.Sub(tg.Sub(tg.Exp(x), x), one) }
