package metric

import (
	"slices"
	"strings"
)

// Canonical names that detectors read.
const (
	RewardMean      = "reward.mean"
	RewardStd       = "reward.std_batch"
	HeldoutMean     = "heldout.mean"
	KLRef           = "kl.ref"
	KLUpdate        = "kl.update"
	Entropy         = "policy.entropy"
	LengthMean      = "length.mean"
	TruncatedFrac   = "length.truncated_frac"
	TerminatedMean  = "length.terminated_mean"
	GradNorm        = "optim.grad_norm"
	LearningRate    = "optim.lr"
	LossPolicy      = "loss.policy"
	AdvantageStd    = "advantage.std"
	FracZeroStd     = "group.frac_zero_std"
	FracNoSignal    = "group.frac_no_signal"
	ProxyMean       = "proxy.mean" // the paid reward of the rows that have a held-out score; without it reward.mean stands for it
	ClipLow         = "clip.low"
	ClipHigh        = "clip.high"
	ClipRegion      = "clip.region"
	RatioMin        = "ratio.min"
	RatioMax        = "ratio.max"
	MismatchK1      = "mismatch.kl_k1"
	MismatchK3      = "mismatch.kl_k3"
	MismatchAbsMean = "mismatch.logp_absdiff.mean"
	MismatchMult    = "mismatch.mult_prob_error"
	MismatchISMean  = "mismatch.is_ratio.mean"
	MismatchISStd   = "mismatch.is_ratio.std"
	MismatchESS     = "mismatch.ess"
	MismatchChi2    = "mismatch.chi2_token"
	MismatchPearson = "mismatch.pearson"
	StalenessMean   = "offpolicy.staleness.mean"
	StalenessMax    = "offpolicy.staleness.max"
	StepSeconds     = "time.step_s"
	ErrorFrac       = "rollout.error_frac"
	rawPrefix       = "raw."
	componentPrefix = "reward.component."
)

// Domain is the set of values that a quantity can have. One outside of it is a fault of the engine or of the mapping.
type Domain uint8

const (
	Any         Domain = iota // any number
	NonNegative               // norms, lengths, standard deviations, k3
	Fraction                  // 0 to 1
)

// Spec is what the vocabulary knows of a name.
type Spec struct {
	Domain Domain
	Unit   string
	// Vital quantities are those without which a run cannot be judged: a value that is not finite is critical, and so is
	// one that vanishes where it is a reward.
	Vital bool
}

// Rewarding tells whether the name is a reward or a held-out score.
func Rewarding(name string) bool {
	return strings.HasPrefix(name, "reward.") || strings.HasPrefix(name, "heldout.")
}

var specs = map[string]Spec{
	RewardMean: {Any, "", true}, RewardStd: {NonNegative, "", false}, "reward.shaped": {Any, "", true},
	HeldoutMean: {Any, "", true}, ProxyMean: {Any, "", true},
	KLRef: {Any, "nats", true}, KLUpdate: {Any, "nats", true},
	Entropy: {NonNegative, "nats", false}, "policy.entropy_sampled": {Any, "nats", false}, "policy.nll": {Any, "nats", true},
	LengthMean: {NonNegative, "tokens", false}, "length.min": {NonNegative, "tokens", false}, "length.max": {NonNegative, "tokens", false},
	TerminatedMean: {NonNegative, "tokens", false}, TruncatedFrac: {Fraction, "fraction", false},
	GradNorm: {NonNegative, "", true}, LearningRate: {NonNegative, "", false},
	LossPolicy: {Any, "", true}, "loss.total": {Any, "", true}, "value.loss": {Any, "", true},
	"advantage.mean": {Any, "", false}, AdvantageStd: {NonNegative, "", false}, "advantage.min": {Any, "", false}, "advantage.max": {Any, "", false},
	FracZeroStd: {Fraction, "fraction", false}, FracNoSignal: {Fraction, "fraction", false},
	"group.frac_all_right": {Fraction, "fraction", false}, "group.frac_all_wrong": {Fraction, "fraction", false},
	ClipLow: {Fraction, "fraction", false}, ClipHigh: {Fraction, "fraction", false}, ClipRegion: {Fraction, "fraction", false},
	"clip.dual": {Fraction, "fraction", false}, "value.clip": {Fraction, "fraction", false},
	RatioMin: {NonNegative, "", false}, "ratio.mean": {NonNegative, "", false}, RatioMax: {NonNegative, "", false},
	"ratio.first_dev": {NonNegative, "", false}, "ratio.clamped": {Any, "", false},
	MismatchK1: {Any, "nats", false}, "mismatch.kl_k2": {NonNegative, "nats", false}, MismatchK3: {NonNegative, "nats", false},
	MismatchAbsMean: {NonNegative, "nats", false}, "mismatch.logp_absdiff.max": {NonNegative, "nats", false},
	"mismatch.prob_absdiff.mean": {NonNegative, "", false}, "mismatch.prob_absdiff.max": {NonNegative, "", false},
	MismatchMult: {NonNegative, "", false}, "mismatch.is_ratio.min": {NonNegative, "", false}, MismatchISMean: {NonNegative, "", false},
	"mismatch.is_ratio.max": {NonNegative, "", false}, MismatchISStd: {NonNegative, "", false}, MismatchESS: {NonNegative, "", false},
	MismatchChi2: {Any, "", false}, "mismatch.chi2_seq": {Any, "", false}, MismatchPearson: {Any, "", false},
	"tools.calls": {NonNegative, "", false}, "tools.failures": {NonNegative, "", false}, "length.turns": {NonNegative, "", false},
	ErrorFrac:    {Fraction, "fraction", false},
	"dpo.chosen": {Any, "", false}, "dpo.rejected": {Any, "", false}, "dpo.margin": {Any, "", false}, "dpo.accuracy": {Fraction, "fraction", false},
	"reward_model.accuracy": {Fraction, "fraction", false}, "reward_model.margin": {Any, "", false},
	"value.explained_variance": {Any, "", false},
	StalenessMean:              {NonNegative, "", false}, StalenessMax: {NonNegative, "", false},
	"tokens.total": {NonNegative, "tokens", false}, StepSeconds: {NonNegative, "seconds", false},
}

// Lookup is what is known of a name. Components of a reward share one entry.
func Lookup(name string) (Spec, bool) {
	if s, ok := specs[name]; ok {
		return s, true
	}
	if strings.HasPrefix(name, componentPrefix) && len(name) > len(componentPrefix) {
		return Spec{Domain: Any}, true
	}
	return Spec{}, false
}

// Names lists the vocabulary, sorted.
func Names() []string {
	names := make([]string, 0, len(specs))
	for n := range specs {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
