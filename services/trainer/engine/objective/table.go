// Package objective is the table of training objectives and their arithmetic: advantages, loss weights, KL estimators,
// reward shaping, pairwise losses, and a float64 reference of every loss with its exact gradient.
//
// It is pure: values in, values out. The engine's graph computes the same losses in float32 and is tested against the
// reference. The formulas are those of the papers named at each row; the numbers in the tests were recomputed from them.
package objective

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Surrogate is the form of the policy term.
type Surrogate int

// Surrogates. Only Clip is trained by the built-in engine; the others exist in the reference.
const (
	Clip  Surrogate = iota // −min(ρA, clip(ρ)A)
	CISPO                  // −stop_grad(min(ρ, ε_high))·A·logp, MiniMax-M1, arXiv 2506.13585
	SAPO                   // −A·4/τ·σ(τ(ρ−1)), arXiv 2511.20347
)

// Aggregation is how token terms become one loss.
type Aggregation string

// Aggregations.
const (
	SequenceMean Aggregation = "sequence_mean" // mean over rows of the mean over the row's tokens
	TokenMean    Aggregation = "token_mean"    // mean over all tokens of the optimizer batch
	Constant     Aggregation = "constant"      // sum over rows × longest allowed length
)

// Params are the numbers of an objective. The zero value of a field switches that part off.
type Params struct {
	ClipLow, ClipHigh float64 // ε below and above 1; for CISPO ClipHigh is the upper bound of ρ itself
	KL                float64 // β, weight of k3 against the reference
	KLByRatio         bool    // weight k3 by ρ (unbiased under an old policy); reference only
	DualClip          float64 // c > 1: for A < 0 the term is at most −cA (arXiv 1912.09729)
	Delta             float64 // two-sided clipping: ρ ← min(ρ, δ) in the unclipped branch (arXiv 2505.07291)
	EntropyCoef       float64 // weight of the token mean of the entropy
	Aggregation       Aggregation
	MaxLen            int     // L_max of Constant
	NumItems          float64 // divisor of TokenMean in place of the token count; 0: the count
	IS                ISMode  // importance weight against the sampler's log probs; reference only
	ISCap             float64
	TauPos, TauNeg    float64 // SAPO temperatures for A > 0 and A ≤ 0
}

// Row is one line of the table.
type Row struct {
	Name          string
	Paper         string
	Surrogate     Surrogate
	SequenceRatio bool      // one ratio a sequence (GSPO) in place of one a token
	OnPolicy      bool      // ρ is 1 by stop-gradient: the gradient of the log-likelihood
	Estimator     Estimator // empty: A = 1
	DropFlat      bool      // groups without signal are dropped and refilled
	Overlong      bool      // soft punishment near the length limit
	MaskTruncated bool      // rows cut at the limit carry no loss
	Trainable     bool      // the built-in engine trains it
	Params        Params
}

// Table lists every objective with its defaults.
func Table() []Row {
	clip := func(lo, hi, kl float64, a Aggregation) Params {
		return Params{ClipLow: lo, ClipHigh: hi, KL: kl, Aggregation: a}
	}
	return []Row{
		{Name: "sft", OnPolicy: true, Trainable: true, Params: clip(.2, .2, 0, TokenMean)},
		{Name: "grpo", Paper: "arXiv 2402.03300", Estimator: GroupStd, Trainable: true, Params: clip(.2, .2, .005, SequenceMean)},
		{Name: "dapo", Paper: "arXiv 2503.14476", Estimator: GroupStd, DropFlat: true, Overlong: true, MaskTruncated: true,
			Trainable: true, Params: clip(.2, .28, 0, TokenMean)},
		{Name: "gspo", Paper: "arXiv 2507.18071", SequenceRatio: true, Estimator: GroupStd, Trainable: true,
			Params: clip(3e-4, 4e-4, 0, SequenceMean)},
		{Name: "dr_grpo", Paper: "arXiv 2503.20783", Estimator: GroupMean, Trainable: true, Params: clip(.2, .2, 0, Constant)},
		{Name: "cispo", Paper: "arXiv 2506.13585", Surrogate: CISPO, Estimator: GroupStd,
			Params: Params{ClipLow: .2, ClipHigh: 5, Aggregation: TokenMean}},
		{Name: "sapo", Paper: "arXiv 2511.20347", Surrogate: SAPO, Estimator: GroupStd,
			Params: Params{ClipLow: .2, ClipHigh: .2, TauPos: 1, TauNeg: 1.05, Aggregation: SequenceMean}},
	}
}

// elsewhere are objectives that are known and not built in, with the engines that have them.
var elsewhere = map[string]string{
	"luspo": "trl", "vespo": "trl", "kto": "trl", "orpo": "trl", "ppo": "verl (native), or trl where it has a PPO trainer",
}

// Lookup finds a row by its name. Names are lower case; a name that another engine has is refused with that engine.
func Lookup(name string) (Row, error) {
	for _, r := range Table() {
		if r.Name == name {
			return r, nil
		}
	}
	if who, ok := elsewhere[name]; ok {
		return Row{}, &engine.Error{Reason: "ENGINE_LACKS_ALGORITHM", Detail: fmt.Sprintf(
			"%s is not built in; set backend: %s", name, who)}
	}
	return Row{}, &engine.Error{Reason: "ENGINE_LACKS_ALGORITHM", Detail: fmt.Sprintf(
		"no objective is called %q; there are %s", name, strings.Join(Names(), ", "))}
}

// Names lists the rows in table order.
func Names() []string {
	var out []string
	for _, r := range Table() {
		out = append(out, r.Name)
	}
	return out
}

// CheckTrainable refuses what exists only in the reference.
func (r Row) CheckTrainable() error {
	if !r.Trainable {
		return &engine.Error{Reason: "ENGINE_LACKS_ALGORITHM", Detail: fmt.Sprintf(
			"%s is audited but not trained by the built-in engine; set backend: trl", r.Name)}
	}
	if r.Params.KLByRatio || r.Params.IS != "" {
		return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: "the KL weighted by the ratio and importance weights " +
			"exist in the audit only; leave them out, or set backend: trl"}
	}
	return nil
}

// Hyper are the row's numbers with the default optimizer (AdamW .9/.98, ε 1e-8, no decay, global norm 1). LR is left to
// the caller, who knows the schedule.
func (r Row) Hyper() engine.Hyper {
	p := r.Params
	return engine.Hyper{Beta1: .9, Beta2: .98, Eps: 1e-8, MaxNorm: 1, ClipLow: p.ClipLow, ClipHigh: p.ClipHigh,
		DualClip: p.DualClip, Delta: p.Delta, KL: p.KL, EntropyCoef: p.EntropyCoef, SequenceRatio: r.SequenceRatio, Temperature: 1}
}

// Check says which number of the row cannot be meant.
func (r Row) Check() error {
	p := r.Params
	bad := func(field, why string) error { return fmt.Errorf("objective %s: %s %s", r.Name, field, why) }
	switch {
	case !(p.ClipLow > 0):
		return bad("clip_low", "must be above 0")
	case !(p.ClipHigh > 0):
		return bad("clip_high", "must be above 0")
	case r.Surrogate == Clip && p.ClipLow >= 1:
		return bad("clip_low", "must be below 1")
	case r.Name == "dapo" && p.ClipHigh <= p.ClipLow:
		return bad("clip_high", "must be above clip_low (clip-higher)")
	case !(p.KL >= 0):
		return bad("beta", "must not be negative")
	case p.DualClip != 0 && !(p.DualClip > 1):
		return bad("dual_clip", "must be above 1")
	case p.Delta != 0 && !(p.Delta > 1+p.ClipHigh):
		return bad("delta", "must be above 1 + clip_high")
	case p.Aggregation == Constant && p.MaxLen < 1:
		return bad("max_len", "must be given for the constant aggregation")
	case !slices.Contains([]Aggregation{SequenceMean, TokenMean, Constant}, p.Aggregation):
		return bad("aggregation", "must be sequence_mean, token_mean or constant")
	case !slices.Contains([]ISMode{"", TokenTruncate, TokenMask, SequenceTruncate, SequenceMask}, p.IS):
		return bad("is_mode", "must be token_truncate, token_mask, sequence_truncate or sequence_mask")
	case p.IS != "" && !(p.ISCap > 0):
		return bad("is_cap", "must be above 0")
	case r.Surrogate == SAPO && !(p.TauPos > 0 && p.TauNeg > 0):
		return bad("tau", "must be above 0")
	}
	return nil
}
