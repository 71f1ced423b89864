package runner

import (
	"maps"
	"math"
	"slices"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/trainer/chain"
	"github.com/provenir/provenir/services/trainer/engine"
)

// facts gathers what a step did. A metric that was not computed is not set.
type facts struct {
	r                              *run
	metrics                        map[string]float64
	refills                        uint32
	tokensPrompt, tokensCompletion uint64
}

func (r *run) newFacts() *facts { return &facts{r: r, metrics: map[string]float64{}} }

func (f *facts) set(name string, v float64) { f.metrics[name] = v }

// common is what both kinds of step say.
func (f *facts) common(res engine.StepResult, h engine.Hyper, trained uint64) *corev1.StepFacts {
	s := &f.r.state
	out := &corev1.StepFacts{Stage: s.Stage, Step: s.NextStep, Branch: s.Branch, Cursor: s.Cursor, Epoch: f.r.order.Epoch(s.Cursor),
		PolicyBefore: s.Policy, Applied: res.Applied, Refills: f.refills, TokensPrompt: f.tokensPrompt, TokensCompletion: f.tokensCompletion,
		TokensTrained: trained, Objective: f.r.Plan.Row.Name, Hyper: hyper(h), StageStep: f.r.stageStep(), StageSteps: f.r.Plan.Spec.GetMaxSteps()}
	out.Reason = res.Reason
	if res.Applied {
		s.Policy++
	}
	out.PolicyAfter = s.Policy
	for name, v := range res.Metrics {
		f.set(name, v)
	}
	out.Metrics = metrics(f.metrics)
	return out
}

func (f *facts) sft(n int, res engine.StepResult, h engine.Hyper) *corev1.StepFacts {
	out := f.common(res, h, f.tokensCompletion)
	out.RowsSampled = uint64(n)
	return out
}

func (f *facts) rl(all []*rollout, l learned, res engine.StepResult, trained uint64, h engine.Hyper) *corev1.StepFacts {
	var rolloutDigests, verdicts [][]byte
	unscored := map[string]uint64{}
	var masked uint64
	for _, x := range all {
		f.tokensPrompt += uint64(len(x.text.prompt))
		f.tokensCompletion += uint64(len(x.out.Tokens))
		rolloutDigests = append(rolloutDigests, x.digest[:])
		switch v := x.reward.GetVerdict().(type) {
		case *corev1.Reward_Scored:
			verdicts = append(verdicts, []byte(x.id), []byte("scored"), chain.Float(v.Scored.GetReward()))
		case *corev1.Reward_Unscored:
			why := strings.ToLower(strings.TrimPrefix(v.Unscored.GetReason().String(), "UNSCORED_REASON_"))
			verdicts = append(verdicts, []byte(x.id), []byte("unscored"), []byte(why))
			unscored[why]++
		}
		if x.masked {
			masked++
		}
	}
	f.rewards(all, l)
	f.lengths(all)
	out := f.common(res, h, trained)
	a := l.advantages
	out.RowsSampled, out.RowsScored, out.RowsMasked, out.RowsFiltered = uint64(len(all)), uint64(a.Scored), masked, l.filtered
	out.GroupsTotal, out.GroupsWithSignal, out.GroupsZeroStd = uint64(a.Groups), uint64(a.WithSignal), uint64(a.ZeroStd)
	out.GroupsOneScored, out.GroupsNoneScored = uint64(a.OneScored), uint64(a.NoneScored)
	for _, why := range slices.Sorted(maps.Keys(unscored)) {
		out.Unscored = append(out.Unscored, &corev1.Count{Name: why, Rows: unscored[why]})
	}
	rollouts, judged := chain.Rollouts(rolloutDigests), chain.Hash(verdicts...)
	out.RolloutsDigest, out.VerdictsDigest = rollouts[:], judged[:]
	return out
}

// rewards sets reward, group and advantage metrics from what was scored.
func (f *facts) rewards(all []*rollout, l learned) {
	for name, v := range l.advantages.Metrics() {
		f.set(name, v)
	}
	if !math.IsNaN(l.shaped) {
		f.set("reward.shaped", l.shaped)
	}
	sum, n := 0.0, 0.0
	for _, x := range all { // as the verifier paid it, without the length penalty
		if s := x.reward.GetScored(); s != nil && !x.masked {
			sum, n = sum+s.GetReward(), n+1
		}
	}
	if n > 0 {
		f.set("reward.mean", sum/n)
	}
	if len(l.advantage) > 1 {
		m := moments(l.advantage)
		f.set("advantage.mean", m.mean)
		f.set("advantage.std", m.std)
		f.set("advantage.min", m.low)
		f.set("advantage.max", m.high)
	}
}

// lengths sets length and entropy metrics of the sampled tokens.
func (f *facts) lengths(all []*rollout) {
	var length, terminated []float64
	entropy, tokens := 0.0, 0.0
	for _, x := range all {
		n := float64(len(x.out.Tokens))
		length = append(length, n)
		if x.out.Stop != engine.StopLength {
			terminated = append(terminated, n)
		}
		for _, h := range x.out.Entropy {
			entropy, tokens = entropy+float64(h), tokens+1
		}
	}
	m := moments(length)
	f.set("length.mean", m.mean)
	f.set("length.min", m.low)
	f.set("length.max", m.high)
	f.set("length.truncated_frac", 1-float64(len(terminated))/float64(len(all)))
	if len(terminated) > 0 {
		f.set("length.terminated_mean", moments(terminated).mean)
	}
	if tokens > 0 {
		f.set("policy.entropy", entropy/tokens)
	}
}

type summary struct{ mean, std, low, high float64 }

// moments gives the mean, the sample standard deviation and the range.
func moments(x []float64) summary {
	s := summary{low: math.Inf(1), high: math.Inf(-1)}
	for _, v := range x {
		s.mean += v / float64(len(x))
		s.low, s.high = math.Min(s.low, v), math.Max(s.high, v)
	}
	for _, v := range x {
		s.std += (v - s.mean) * (v - s.mean)
	}
	s.std = math.Sqrt(s.std / math.Max(1, float64(len(x)-1)))
	return s
}

func hyper(h engine.Hyper) []*corev1.HyperValue {
	values := map[string]float64{"lr": h.LR, "beta1": h.Beta1, "beta2": h.Beta2, "eps": h.Eps, "weight_decay": h.WeightDecay,
		"max_norm": h.MaxNorm, "clip_low": h.ClipLow, "clip_high": h.ClipHigh, "dual_clip": h.DualClip, "kl": h.KL,
		"entropy_coef": h.EntropyCoef, "temperature": h.Temperature}
	var out []*corev1.HyperValue
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, &corev1.HyperValue{Name: name, Value: values[name]})
	}
	return out
}
