package pump

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// The log is a function of the rows and their verdicts; how verdicts arrive leaves no trace.
func TestTheOrderOfArrivalLeavesNoTrace(t *testing.T) {
	for _, c := range []struct {
		name  string
		mood  func(*verifier)
		rows  int
		group int
	}{
		{"in order", func(*verifier) {}, 24, 4},
		{"backwards", func(v *verifier) { v.order = slices.Reverse[[]*verifierv1.VerdictItem] }, 24, 4},
		{"each twice", func(v *verifier) { v.twice = true }, 24, 4},
		{"backwards and twice", func(v *verifier) { v.twice, v.order = true, slices.Reverse[[]*verifierv1.VerdictItem] }, 24, 4},
		{"one row", func(*verifier) {}, 1, 0},
		{"rows without a group", func(v *verifier) { v.order = slices.Reverse[[]*verifierv1.VerdictItem] }, 130, 0},
		{"groups and a rest", func(*verifier) {}, 21, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.ver.set(c.mood)
			p := r.pump(false)
			var expected []*recorderv1.Record
			for step := range 3 {
				frames := round(step, c.rows, c.group)
				if err := play(t.Context(), p, frames, uint64(step), 0, nil); err != nil {
					t.Fatal(err)
				}
				expected = append(expected, want(t, frames, fresh(""))...)
			}
			same(t, r.rec.records(), expected)
			r.honest()
			if got := uses(t, r.trader.paid); len(got) != 3*c.rows || len(r.trader.paid) != 3 {
				t.Errorf("%d rows were paid in %d batches, want %d in 3", len(got), len(r.trader.paid), 3*c.rows)
			}
			if p.Rollouts != uint64(3*c.rows) || p.Unscored() != p.Rollouts-p.Scored || p.Scored == 0 && c.rows > 1 {
				t.Errorf("counted %d rollouts, %d scored", p.Rollouts, p.Scored)
			}
		})
	}
}

// 64 rows without a group share a REWARD, so a round of 130 has three.
func TestUngroupedRowsArePaidBySixtyFour(t *testing.T) {
	r := newRig(t)
	p := r.pump(false)
	if err := play(t.Context(), p, round(0, 130, 0), 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, payload := range r.trader.paid[0].GetRewards() {
		var b corev1.RewardBatch
		if err := proto.Unmarshal(payload, &b); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(b.GetRewards()))
	}
	if !slices.Equal(sizes, []int{64, 64, 2}) {
		t.Errorf("records of %v rows", sizes)
	}
}

// A verdict that never comes holds its round until the deadline and not longer. It is unscored, marked as a clock's, masked,
// and never a reward of 0.
func TestAMissingVerdictIsUnscoredByTheDeadline(t *testing.T) {
	r := newRig(t)
	frames := round(0, 12, 4)
	missing := map[string]bool{"s0.r1": true, "s0.r7": true, "s0.r11": true}
	r.ver.set(func(v *verifier) { v.mute = missing })
	p := r.pump(false)
	done := make(chan error, 1)
	go func() { done <- play(t.Context(), p, frames, 0, 0, nil) }()
	r.await(r.clock.bell, "the round waits for its deadline", func() bool { return r.clock.Waiters() > 0 })
	r.await(p.Bell, "all verdicts but three are there", func() bool { return p.Judge.items.Free() == int64(r.ver.items)-3 })
	r.clock.Advance(timeout)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	lost := func(f *trainerv1.RolloutFrame) *verifierv1.VerdictItem {
		if !missing[f.GetRolloutId()] {
			return fresh("")(f)
		}
		v, err := late(Judged{ID: f.GetRolloutId(), Digest: f.GetDigest()})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	same(t, r.rec.records(), want(t, frames, lost))
	for _, rec := range r.rec.records() {
		var v corev1.Verdict
		if rec.GetType() != recorderv1.RecordType_RECORD_TYPE_VERDICT {
			continue
		}
		if err := proto.Unmarshal(rec.GetPayload(), &v); err != nil {
			t.Fatal(err)
		}
		marked := slices.ContainsFunc(v.GetFindings(), func(f *corev1.Finding) bool { return f.GetKind() == "time_dependent" })
		if deadline := v.GetUnscored().GetReason() == corev1.UnscoredReason_UNSCORED_REASON_DEADLINE; deadline != missing[v.GetRolloutId()] || marked != deadline {
			t.Errorf("%s: deadline %v, marked %v", v.GetRolloutId(), deadline, marked)
		}
	}
	for id, use := range uses(t, r.trader.paid) {
		if missing[id] && use != corev1.TrainUse_TRAIN_USE_MASK {
			t.Errorf("%s is used as %s", id, use)
		}
	}
	if p.Clocked != 3 {
		t.Errorf("%d verdicts by a clock, want 3", p.Clocked)
	}
}

// A verdict that comes after its deadline changes nothing, also not the next round, and is not kept for ever.
func TestALateVerdictIsForgotten(t *testing.T) {
	r := newRig(t)
	r.ver.set(func(v *verifier) { v.hold = true })
	p := r.pump(false)
	done := make(chan error, 1)
	go func() { done <- play(t.Context(), p, round(0, 4, 4), 0, 0, nil) }()
	r.await(r.clock.bell, "the round waits", func() bool { return r.clock.Waiters() > 0 })
	r.clock.Advance(timeout)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	before := len(r.rec.records())
	r.ver.set(func(v *verifier) { v.hold = false })
	r.await(p.Bell, "the late verdicts are there", func() bool { return p.Judge.items.Free() == int64(r.ver.items) })
	next := round(1, 4, 4)
	if err := play(t.Context(), p, next, 1, 0, nil); err != nil {
		t.Fatal(err)
	}
	got := r.rec.records()[before:]
	for i, w := range want(t, next, fresh("")) {
		if string(got[i].GetPayload()) != string(w.GetPayload()) {
			t.Errorf("record %d of the next round is another", i)
		}
	}
	p.Judge.mu.Lock()
	defer p.Judge.mu.Unlock()
	if n := len(p.Judge.results); n != 0 {
		t.Errorf("%d verdicts are kept that nobody will take", n)
	}
}

// A group whose sandbox failed again and again is left out, and the row says so; a reward that is no number is none.
func TestTheUseOfAnOddVerdict(t *testing.T) {
	nan, err := proto.Marshal(&corev1.Verdict{Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: nan()}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Summarise(nan)
	if err != nil {
		t.Fatal(err)
	}
	b := rewards([]Judged{{ID: "x", Item: &verifierv1.VerdictItem{Verdict: nan, Summary: s}}})[0].GetRewards()[0]
	if b.GetUse() != corev1.TrainUse_TRAIN_USE_MASK || b.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_NON_FINITE {
		t.Errorf("a reward of NaN is paid as %v", b)
	}
	r := newRig(t)
	p := r.pump(false)
	frames := round(0, 40, 4)
	if err := play(t.Context(), p, frames, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	quarantined := 0
	for id, use := range uses(t, r.trader.paid) {
		item := verdict(id, "", nil)
		expected := corev1.TrainUse_TRAIN_USE_USE
		if item.GetSummary().GetUnscored() != nil {
			expected = corev1.TrainUse_TRAIN_USE_MASK
		}
		if item.GetSummary().GetQuarantine() {
			expected = corev1.TrainUse_TRAIN_USE_QUARANTINE_GROUP
			quarantined++
		}
		if use != expected {
			t.Errorf("%s is used as %s, want %s", id, use, expected)
		}
	}
	if quarantined == 0 {
		t.Fatal("no row of this test is quarantined: it would show nothing")
	}
}

// A verifier that goes away in the middle of a round takes no verdict with it: the round is neither paid nor closed.
func TestTheVerifierBreaks(t *testing.T) {
	for _, c := range []struct {
		name   string
		mood   func(*verifier)
		reason string
		says   string
	}{
		{"it is away", func(v *verifier) {
			v.broken = rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_NOT_READY, "starting")
		}, "NOT_READY", "starting"},
		{"it refuses an item", func(v *verifier) { v.reject = &verifierv1.VerifyReject{Reason: "BAD_SPEC", Detail: "no such option"} }, "BAD_SPEC", "no such option"},
		{"it refuses with a word of its own", func(v *verifier) { v.reject = &verifierv1.VerifyReject{Reason: "TIRED", Detail: "later", Seq: 3} }, "", "item 3: TIRED"},
		{"a verdict that says nothing", func(v *verifier) {
			v.order = func(x []*verifierv1.VerdictItem) {
				for _, i := range x {
					i.Summary = nil
				}
			}
		}, "", "neither a score nor why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.ver.set(c.mood)
			p := r.pump(false)
			err := play(t.Context(), p, round(0, 8, 4), 0, 0, nil)
			if err == nil || rpc.Reason(err) != c.reason || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s %q", err, c.reason, c.says)
			}
			if _, payments := r.trader.got(); payments != 0 {
				t.Error("the round was paid")
			}
			for _, rec := range r.rec.records() {
				if rec.GetType() != recorderv1.RecordType_RECORD_TYPE_ROLLOUT {
					t.Errorf("a %s was recorded", rec.GetType())
				}
			}
		})
	}
}

// A person's stop, or a lost lease, ends every wait with its cause.
func TestACancelledPumpSaysWhy(t *testing.T) {
	r := newRig(t)
	r.ver.set(func(v *verifier) { v.hold = true })
	p := r.pump(false)
	why := errors.New("the lease was taken over")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- play(ctx, p, round(0, 4, 4), 0, 0, nil) }()
	r.await(r.clock.bell, "the round waits", func() bool { return r.clock.Waiters() > 0 })
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if r.clock.Waiters() != 0 {
		t.Error("a timer is left")
	}
}
