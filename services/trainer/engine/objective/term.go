package objective

import "math"

// term is one token's policy loss, its derivative by logp, and what was cut.
type term struct {
	value, grad float64
	low, high   bool // the clipped branch was taken, below or above 1
	dual        bool
}

// term evaluates the surrogate at ratio ρ. dρ/dlogp = ρ.
func (r Row) term(rho, a, logp float64) term {
	p := r.Params
	switch r.Surrogate {
	case CISPO:
		c := math.Min(rho, p.ClipHigh)
		return term{value: -c * a * logp, grad: -c * a, high: rho > p.ClipHigh && a > 0}
	case SAPO:
		tau := p.TauPos
		if a <= 0 {
			tau = p.TauNeg
		}
		s := sigmoid(tau * (rho - 1))
		return term{value: -a * 4 / tau * s, grad: -a * 4 * s * (1 - s) * rho}
	}
	t := term{low: a < 0 && rho < 1-p.ClipLow, high: a > 0 && rho > 1+p.ClipHigh}
	free, dfree := rho, rho
	if p.Delta > 0 && rho > p.Delta {
		free, dfree = p.Delta, 0
	}
	cut := math.Max(math.Min(rho, 1+p.ClipHigh), 1-p.ClipLow)
	if t.value, t.grad = -free*a, -dfree*a; cut*a < free*a {
		t.value, t.grad = -cut*a, 0
	}
	if p.DualClip > 0 && a < 0 && t.value > -p.DualClip*a {
		t.value, t.grad, t.dual = -p.DualClip*a, 0, true
	}
	return t
}

// klTerm is k3 and its derivative, weighted by ρ when the row asks for it. On-policy ρ is 1 but its derivative is not 0.
func (r Row) klTerm(logp, ref, rho float64, offPolicy bool) (value, grad float64) {
	k := K3(logp, ref)
	if !r.Params.KLByRatio {
		return k.Value, k.Grad
	}
	if !offPolicy {
		rho = 1
	}
	return rho * k.Value, rho * (k.Value + k.Grad)
}
