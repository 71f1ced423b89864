package trainer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

func algorithm(a trainerv1.Algorithm) func(*trainerv1.TrainSpec) {
	return func(s *trainerv1.TrainSpec) { s.Algorithm = a }
}

// sample is the number of a rollout in its group.
func sample(x *corev1.Rollout) string {
	return x.GetRolloutId()[strings.LastIndexByte(x.GetRolloutId(), '.')+1:]
}

func TestWhatAStepWithoutSignalDoes(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		pay          func(*corev1.Rollout) *corev1.Reward
		scored       uint64
		masked       uint64
	}{
		{"nothing was scored", "NO_SCORED", func(*corev1.Rollout) *corev1.Reward { return unscored() }, 0, 0},
		{"all rewards are equal", "NO_SIGNAL", func(*corev1.Rollout) *corev1.Reward { return scored(1) }, 24, 0},
		{"one of a group was scored", "NO_SIGNAL", func(x *corev1.Rollout) *corev1.Reward {
			if sample(x) == "0" {
				return scored(1)
			}
			return unscored()
		}, 3, 0},
		{"what differs is masked", "NO_SIGNAL", func(x *corev1.Rollout) *corev1.Reward {
			if sample(x) == "0" {
				reward := scored(1)
				reward.Use = corev1.TrainUse_TRAIN_USE_MASK
				return reward
			}
			return scored(0)
		}, 21, 3},
		{"every group is in quarantine", "NO_SCORED", func(x *corev1.Rollout) *corev1.Reward {
			reward := right(x)
			if sample(x) == "5" {
				reward.Use = corev1.TrainUse_TRAIN_USE_QUARANTINE_GROUP
			}
			return reward
		}, 0, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			o := r.orchestrate(r.grpo(2, nil), newRun(t))
			o.pay = c.pay
			seen := o.must()
			f := seen.facts[0]
			if f.GetApplied() || f.GetReason() != c.reason || f.GetRowsScored() != c.scored || f.GetRowsMasked() != c.masked {
				t.Errorf("applied %v, %q, %d scored, %d masked; want %s, %d, %d", f.GetApplied(), f.GetReason(), f.GetRowsScored(), f.GetRowsMasked(), c.reason, c.scored, c.masked)
			}
			if f.GetPolicyAfter() != f.GetPolicyBefore() || string(f.GetWeightsDigest()) != string(seen.facts[1].GetWeightsDigest()) ||
				string(f.GetWeightsDigest()) != string(seen.ready.GetBaseDigest()) {
				t.Error("the policy moved")
			}
		})
	}
}

// A quarantined group teaches nothing; the others do as if it were not there.
func TestAGroupInQuarantineIsLeftOut(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(1, nil), newRun(t))
	o.pay = func(x *corev1.Rollout) *corev1.Reward {
		reward := right(x)
		if x.GetRolloutId() == "b0.s0.p1.3" {
			reward.Use = corev1.TrainUse_TRAIN_USE_QUARANTINE_GROUP
		}
		return reward
	}
	f := o.must().facts[0]
	if f.GetRowsMasked() != 8 || f.GetRowsScored() != 16 || !f.GetApplied() {
		t.Errorf("%d masked, %d scored, applied %v", f.GetRowsMasked(), f.GetRowsScored(), f.GetApplied())
	}
}

// Unscored is not zero: rows without a verdict stay out of the mean and are counted by their reason.
func TestUnscoredRowsAreCountedAndNotZero(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(1, nil), newRun(t))
	o.pay = func(x *corev1.Rollout) *corev1.Reward {
		switch sample(x) {
		case "0":
			return unscored()
		case "1":
			return scored(1)
		}
		return scored(.5)
	}
	f := o.must().facts[0]
	if want := (1 + 6*.5) / 7; fmt.Sprintf("%.9f", metric(f, "reward.mean")) != fmt.Sprintf("%.9f", want) {
		t.Errorf("mean %v, want %v", metric(f, "reward.mean"), want)
	}
	if u := f.GetUnscored(); len(u) != 1 || u[0].GetName() != "deadline" || u[0].GetRows() != 3 {
		t.Errorf("unscored: %v", u)
	}
}

// dapo samples more prompts while groups are flat, at most max_gen_batches times.
func TestDapoRefills(t *testing.T) {
	for _, c := range []struct {
		name    string
		flat    func(position string) bool
		refills uint32
		rows    uint64
		applied bool
	}{
		{"no group is flat", func(string) bool { return false }, 0, 24, true},
		{"one is", func(p string) bool { return p == "p1" }, 1, 32, true},
		{"all are", func(string) bool { return true }, 2, 72, false},
	} {
		r := newRoom(t)
		o := r.orchestrate(r.grpo(1, algorithm(trainerv1.Algorithm_ALGORITHM_DAPO)), newRun(t))
		o.pay = func(x *corev1.Rollout) *corev1.Reward {
			if c.flat(strings.Split(x.GetGroupId(), ".")[2]) || sample(x) != "0" {
				return scored(0)
			}
			return scored(1)
		}
		f := o.must().facts[0]
		if f.GetRefills() != c.refills || f.GetRowsSampled() != c.rows || f.GetApplied() != c.applied || c.applied && f.GetGroupsWithSignal() != 3 {
			t.Errorf("%s: %d refills, %d rows, applied %v, %d groups with signal", c.name, f.GetRefills(), f.GetRowsSampled(), f.GetApplied(), f.GetGroupsWithSignal())
		}
	}
}

// Minibatches make several optimizer steps of one; what they train is the same rows.
func TestMinibatches(t *testing.T) {
	r := newRoom(t)
	one := r.orchestrate(r.grpo(2, nil), newRun(t)).must()
	three := r.orchestrate(r.grpo(2, func(s *trainerv1.TrainSpec) { s.Minibatch = 8 }), newRun(t)).must()
	a, b := one.facts[0], three.facts[0]
	if a.GetTokensTrained() != b.GetTokensTrained() || string(a.GetWeightsDigest()) == string(b.GetWeightsDigest()) || !b.GetApplied() ||
		b.GetPolicyAfter() != b.GetPolicyBefore()+1 {
		t.Errorf("%d and %d tokens, policy %d after %d", a.GetTokensTrained(), b.GetTokensTrained(), b.GetPolicyAfter(), b.GetPolicyBefore())
	}
	if string(a.GetRolloutsDigest()) != string(b.GetRolloutsDigest()) {
		t.Error("the first step sampled other rows")
	}
}

func TestOverlongAnswersPay(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(1, func(s *trainerv1.TrainSpec) {
		s.Algorithm = trainerv1.Algorithm_ALGORITHM_DAPO
		s.Objective = &trainerv1.Objective{OverlongCache: proto.Uint32(1)} // of two tokens: the end of the length
	}), newRun(t))
	o.pay = func(x *corev1.Rollout) *corev1.Reward {
		if sample(x) == "0" {
			return scored(1)
		}
		return scored(0)
	}
	f := o.must().facts[0]
	if mean, shaped := metric(f, "reward.mean"), metric(f, "reward.shaped"); mean != .125 || shaped != -.875 {
		t.Errorf("mean %v, shaped %v; want .125 as it was paid and -.875 after the length penalty", mean, shaped)
	}
}

func TestInjections(t *testing.T) {
	r := newRoom(t)
	plain := r.orchestrate(r.grpo(4, nil), newRun(t)).must()
	inject := func(kind string) transcript {
		return r.orchestrate(r.grpo(4, func(s *trainerv1.TrainSpec) { s.Inject = &trainerv1.Injection{Kind: kind, AtStep: 2} }), newRun(t)).must()
	}
	nan := inject("nan")
	if f := nan.facts[2]; f.GetApplied() || f.GetReason() != "NON_FINITE" || string(f.GetWeightsDigest()) != string(nan.facts[1].GetWeightsDigest()) {
		t.Errorf("a NaN: applied %v, %q", f.GetApplied(), f.GetReason())
	}
	if f := nan.facts[3]; !f.GetApplied() {
		t.Errorf("the step after a NaN: %q", f.GetReason())
	}
	blown := inject("kl_blowup")
	weights := func(s transcript) (out []string) {
		for _, f := range s.facts {
			out = append(out, string(f.GetWeightsDigest()))
		}
		return out
	}
	if a, b := weights(plain), weights(blown); !slices.Equal(a[:2], b[:2]) || a[2] == b[2] || plain.chains[0] == blown.chains[0] {
		t.Error("the blow-up begins elsewhere, or passes for a run without one")
	}
}
