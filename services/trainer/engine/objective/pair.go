package objective

import "math"

// Sums are a pair's log probabilities: sums over the completion for DPO, means over it for IPO.
type Sums struct {
	Chosen, Rejected       float64
	RefChosen, RefRejected float64
}

// margin is how much more the policy prefers the chosen text than the reference does.
func (s Sums) margin() float64 { return (s.Chosen - s.RefChosen) - (s.Rejected - s.RefRejected) }

// Pair is the loss of one pair and its derivatives by the chosen and the rejected number.
// Training needs no graph of its own: see Weights.
type Pair struct {
	Loss               float64
	H                  float64 // DPO: β × margin, the logit of preferring the chosen text; IPO: the margin
	DChosen, DRejected float64
	ChosenReward       float64 // β(policy − reference), as reported by every DPO trainer
	RejectedReward     float64
	PrefersChosen      bool
}

// Weights are the token weights that make an on-policy step (Old nil, Advantage 1) have exactly the gradient of the mean
// loss over pairs: Σ −w·logp has the derivative −w by each log prob, which must be dloss/dS. The log probs behind the
// pair must be those of the present weights (a Score right before the step). For IPO divide by the row's length: its
// numbers are means.
func (p Pair) Weights(pairs int) (chosen, rejected float64) {
	return -p.DChosen / float64(pairs), -p.DRejected / float64(pairs)
}

// DPO is arXiv 2305.18290 with label smoothing s (conservative DPO): (1−s)·softplus(−h) + s·softplus(h).
func DPO(x Sums, beta, smoothing float64) Pair {
	h := beta * x.margin()
	d := -beta * ((1-smoothing)*sigmoid(-h) - smoothing*sigmoid(h))
	return x.pair(beta, Pair{Loss: (1-smoothing)*softplus(-h) + smoothing*softplus(h), H: h, DChosen: d, DRejected: -d})
}

// IPO is arXiv 2310.12036: (margin − 1/(2β))², on length means.
func IPO(x Sums, beta float64) Pair {
	m := x.margin()
	e := m - 1/(2*beta)
	return x.pair(beta, Pair{Loss: e * e, H: m, DChosen: 2 * e, DRejected: -2 * e})
}

func (s Sums) pair(beta float64, p Pair) Pair {
	p.ChosenReward, p.RejectedReward = beta*(s.Chosen-s.RefChosen), beta*(s.Rejected-s.RefRejected)
	p.PrefersChosen = p.ChosenReward > p.RejectedReward
	return p
}

// RewardPair is the Bradley–Terry loss of a reward model: softplus(−(chosen − rejected − margin)) +
// center·(chosen + rejected)², whose second term keeps the scores around 0.
func RewardPair(chosen, rejected, margin, center float64) Pair {
	h := chosen - rejected - margin
	c := 2 * center * (chosen + rejected)
	return Pair{Loss: softplus(-h) + center*(chosen+rejected)*(chosen+rejected), H: h,
		DChosen: -sigmoid(-h) + c, DRejected: sigmoid(-h) + c,
		ChosenReward: chosen, RejectedReward: rejected, PrefersChosen: chosen > rejected}
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// softplus is log(1+eˣ) without overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
