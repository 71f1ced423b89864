package pump

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

func seconds(t *testing.T, log []*recorderv1.Record) []*corev1.Verdict {
	t.Helper()
	var out []*corev1.Verdict
	for _, rec := range log {
		if rec.GetType() == recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT {
			v := &corev1.Verdict{}
			if err := proto.Unmarshal(rec.GetPayload(), v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
	}
	return out
}

// The second verdict goes to the recorder, behind the step's rewards, and never to the trainer.
func TestTheSecondVerdictIsNotPaid(t *testing.T) {
	r := newRig(t)
	r.ver.set(func(v *verifier) { v.twice = true })
	p := r.pump(true)
	rounds := [][]*trainerv1.RolloutFrame{round(0, 12, 4), round(1, 12, 4)}
	for i, frames := range rounds {
		if err := play(t.Context(), p, frames, 0, uint32(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(seconds(t, r.rec.records())); n != 0 {
		t.Errorf("%d second verdicts stand before the step's end", n)
	}
	said, err := p.Heldout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Ledger.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := p.Ledger.Durable(t.Context(), p.Ledger.Next()); err != nil {
		t.Fatal(err)
	}
	if scored, sum := tally(seconds(t, r.rec.records())); said.Rows != scored || said.Sum != sum {
		t.Errorf("the channel says %+v, the records %d rows with %v", said, scored, sum)
	}
	structure(t, r.rec.records(), rounds, true)
	for _, batch := range r.trader.paid {
		for _, payload := range batch.GetRewards() {
			for _, v := range seconds(t, r.rec.records()) {
				if s := v.GetScored(); s != nil && s.GetReward() != verdict(v.GetRolloutId(), "", nil).GetSummary().GetScored().GetReward() {
					var b corev1.RewardBatch
					if err := proto.Unmarshal(payload, &b); err != nil {
						t.Fatal(err)
					}
					for _, x := range b.GetRewards() {
						if x.GetRolloutId() == v.GetRolloutId() && x.GetScored().GetReward() == s.GetReward() {
							t.Errorf("%s was paid its second verdict", x.GetRolloutId())
						}
					}
				}
			}
		}
	}
	p.Judge.mu.Lock()
	defer p.Judge.mu.Unlock()
	if len(p.Judge.heldout) != 0 || len(p.Judge.results) != 0 {
		t.Errorf("%d and %d verdicts are kept after the step", len(p.Judge.results), len(p.Judge.heldout))
	}
}

// A second verdict that does not come is unscored(deadline), in its place.
func TestAMissingSecondVerdict(t *testing.T) {
	frames := round(0, 24, 4)
	var lost string
	for _, f := range frames[4:] {
		if drawn(f.GetRolloutId()) {
			lost = f.GetRolloutId()
			break
		}
	}
	r := newRig(t)
	r.ver.set(func(v *verifier) { v.forgets[lost] = true })
	p := r.pump(true)
	if err := play(t.Context(), p, frames, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- heldout(t, p) }()
	r.await(r.clock.bell, "the step waits for its second verdicts", func() bool { return r.clock.Waiters() > 0 })
	r.await(p.Bell, "all the others are there", func() bool { return p.Judge.items.Free() == int64(r.ver.items) })
	r.clock.Advance(timeout)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := p.Ledger.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := p.Ledger.Durable(t.Context(), p.Ledger.Next()); err != nil {
		t.Fatal(err)
	}
	structure(t, r.rec.records(), [][]*trainerv1.RolloutFrame{frames}, true)
	for _, v := range seconds(t, r.rec.records()) {
		deadline := v.GetUnscored().GetReason() == corev1.UnscoredReason_UNSCORED_REASON_DEADLINE
		marked := slices.ContainsFunc(v.GetFindings(), func(f *corev1.Finding) bool { return f.GetKind() == "time_dependent" })
		if deadline != (v.GetRolloutId() == lost) || marked != deadline {
			t.Errorf("%s: deadline %v, marked %v", v.GetRolloutId(), deadline, marked)
		}
	}
}

// The deadline once, and then a process that dies: the verifier would answer now, also with a second verdict. The log must
// not notice.
func TestADeadlineIsKeptOverARestart(t *testing.T) {
	frames := round(0, 24, 4)
	var mute, forgets string
	for _, f := range frames {
		switch id := f.GetRolloutId(); {
		case !drawn(id):
		case mute == "":
			mute = id
		case forgets == "":
			forgets = id
		}
	}
	first := newRig(t)
	first.ver.set(func(v *verifier) { v.mute[mute], v.forgets[forgets] = true, true })
	lived := make(chan error, 1)
	go func() { lived <- first.life(1, true, [][]*trainerv1.RolloutFrame{frames}) }()
	for range 2 { // the visible verdicts, then the second ones
		first.await(first.clock.bell, "it waits", func() bool { return first.clock.Waiters() > 0 })
		p := first.latest.Load()
		first.await(p.Bell, "all but one are judged", func() bool { return p.Judge.items.Free() == int64(first.ver.items)-1 })
		first.clock.Advance(timeout)
	}
	if err := <-lived; err != nil {
		t.Fatal(err)
	}
	log := first.rec.records()
	if n := count(log, recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT); n < 3 {
		t.Fatalf("%d second verdicts", n)
	}
	for cut := 24; cut <= len(log); cut++ {
		r := newRig(t)
		r.rec.set(func(d *recorder) { d.log, d.synced, d.told = slices.Clone(log[:cut]), cut, cut })
		if err := r.life(2, true, [][]*trainerv1.RolloutFrame{frames}); err != nil {
			t.Fatalf("%d of %d records: %v", cut, len(log), err)
		}
		structure(t, r.rec.records(), [][]*trainerv1.RolloutFrame{frames}, true)
	}
}

// The other way round: everything was judged in time, and the verifier of the second life is silent. Recorded verdicts
// count; whether a row was drawn cannot be known then, so its second verdict is late and marked, and the step ends.
func TestASilentVerifierAfterARestart(t *testing.T) {
	frames := round(0, 12, 4)
	calm := newRig(t)
	if err := calm.life(1, true, [][]*trainerv1.RolloutFrame{frames}); err != nil {
		t.Fatal(err)
	}
	log := calm.rec.records()
	second := count(log, recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT)
	for _, c := range []struct {
		name  string
		cut   int
		late  int
		drawn int
	}{
		{"all is recorded", len(log), 0, second},
		{"all second verdicts but the last are recorded", len(log) - 2, -1, -1},
		{"no second verdict is recorded", len(log) - 1 - second, 12, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.rec.set(func(d *recorder) { d.log, d.synced, d.told = slices.Clone(log[:c.cut]), c.cut, c.cut })
			r.ver.set(func(v *verifier) { v.hold = true })
			lived := make(chan error, 1)
			go func() { lived <- r.life(2, true, [][]*trainerv1.RolloutFrame{frames}) }()
			for ended := false; !ended; {
				wait := r.clock.bell.wait()
				r.clock.Advance(timeout)
				select {
				case err := <-lived:
					if err != nil {
						t.Fatal(err)
					}
					ended = true
				case <-wait:
				}
			}
			got := seconds(t, r.rec.records())
			late := 0
			for _, v := range got {
				if v.GetUnscored().GetReason() == corev1.UnscoredReason_UNSCORED_REASON_DEADLINE {
					late++
				}
			}
			if c.drawn >= 0 && (late != c.late || len(got) != c.drawn) {
				t.Errorf("%d second verdicts, %d late; want %d and %d", len(got), late, c.drawn, c.late)
			}
			for i, rec := range r.rec.records()[:c.cut] {
				if rec != log[i] {
					t.Errorf("record %d was written again", i)
				}
			}
		})
	}
}

// Second verdicts of rows that are not of this step, and a verifier that breaks while they are waited for.
func TestSecondVerdictsThatDoNotFit(t *testing.T) {
	frames := round(0, 6, 3)
	calm := newRig(t)
	if err := calm.life(1, false, [][]*trainerv1.RolloutFrame{frames}); err != nil {
		t.Fatal(err)
	}
	log := calm.rec.records()
	log[len(log)-1] = &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT, Seq: uint64(len(log) - 1), Payload: verdict("stranger", "", nil).GetVerdict()}
	r := newRig(t)
	r.rec.set(func(d *recorder) { d.log, d.synced, d.told = log, len(log), len(log) })
	if err := r.life(2, true, [][]*trainerv1.RolloutFrame{frames}); err == nil || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("got %v", err)
	}

	r = newRig(t)
	p := r.pump(true)
	for _, f := range round(0, 24, 4) {
		r.ver.forgets[f.GetRolloutId()] = true
	}
	if err := play(t.Context(), p, round(0, 24, 4), 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- heldout(t, p) }()
	r.await(r.clock.bell, "it waits", func() bool { return r.clock.Waiters() > 0 })
	r.ver.set(func(v *verifier) { v.end = true })
	if err := <-done; err == nil || rpc.Reason(err) != "" || !strings.Contains(err.Error(), "the verifier ended the stream") {
		t.Errorf("got %v", err)
	}
}

// heldout records the second verdicts where what they say is of no interest.
func heldout(t interface{ Context() context.Context }, p *Pump) error {
	_, err := p.Heldout(t.Context())
	return err
}

// tally counts scored verdicts and adds their rewards up.
func tally(verdicts []*corev1.Verdict) (scored uint64, sum float64) {
	for _, v := range verdicts {
		if s := v.GetScored(); s != nil {
			scored, sum = scored+1, sum+s.GetReward()
		}
	}
	return scored, sum
}
