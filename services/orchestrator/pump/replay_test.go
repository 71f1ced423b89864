package pump

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

// life plays a step of two rounds and its second verdicts as a process that took the run over at seq 0.
func (r *rig) life(epoch uint64, second bool, rounds [][]*trainerv1.RolloutFrame) error {
	p, err := r.open(epoch, 0, second, nil)
	if err != nil {
		return err
	}
	defer shut(p)
	for i, frames := range rounds {
		if err := play(r.Context(), p, frames, 0, uint32(i), nil); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	if err := heldout(r, p); err != nil {
		return err
	}
	step := &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: []byte("facts")}
	if err := p.Ledger.Append(r.Context(), step); err != nil {
		return err
	}
	if err := p.Ledger.Flush(); err != nil {
		return err
	}
	return p.Ledger.Durable(r.Context(), p.Ledger.Next())
}

// Wherever a process dies in a step, the next one makes the same log and pays the same rewards, although its verifier now
// judges otherwise, as one that looks at a clock may: what is recorded counts.
func TestAStepThatIsPartlyRecorded(t *testing.T) {
	rounds := [][]*trainerv1.RolloutFrame{round(0, 6, 3), round(1, 5, 2)}
	for _, second := range []bool{false, true} {
		calm := newRig(t)
		if err := calm.life(1, second, rounds); err != nil {
			t.Fatal(err)
		}
		log := calm.rec.records()
		heldout := 0
		for _, x := range log {
			if x.GetType() == recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT {
				heldout++
			}
		}
		if second != (heldout > 1) {
			t.Fatalf("%d second verdicts: the test would show little", heldout)
		}
		for cut := range len(log) + 1 {
			t.Run(fmt.Sprintf("second %v, %d of %d records", second, cut, len(log)), func(t *testing.T) {
				r := newRig(t)
				r.rec.set(func(d *recorder) {
					d.log, d.synced, d.told = slices.Clone(log[:cut]), cut, cut
				})
				r.ver.set(func(v *verifier) { v.salt = "another day" })
				if err := r.life(2, second, rounds); err != nil {
					t.Fatal(err)
				}
				r.honest()
				got := r.rec.records()
				for i := range cut {
					if got[i] != log[i] {
						t.Errorf("record %d was written again", i)
					}
				}
				structure(t, got, rounds, second)
				asked, _ := r.ver.count()
				if fresh := 11 - count(log[:cut], recorderv1.RecordType_RECORD_TYPE_VERDICT); !second && asked != fresh {
					t.Errorf("%d rollouts were judged again, want the %d that have no verdict", asked, fresh)
				}
			})
		}
	}
}

func count(log []*recorderv1.Record, kind recorderv1.RecordType) int {
	n := 0
	for _, r := range log {
		if r.GetType() == kind {
			n++
		}
	}
	return n
}

// structure checks that the log is what its own verdicts make of the rows, by the rule of the page, and that the second
// verdicts are those of the drawn rows in row order.
func structure(t *testing.T, log []*recorderv1.Record, rounds [][]*trainerv1.RolloutFrame, second bool) {
	t.Helper()
	said := map[string]*recorderv1.Record{}
	var order, wanted []string
	for _, rec := range log {
		var v corev1.Verdict
		switch rec.GetType() {
		case recorderv1.RecordType_RECORD_TYPE_VERDICT, recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT:
			if err := proto.Unmarshal(rec.GetPayload(), &v); err != nil {
				t.Fatal(err)
			}
			if rec.GetType() == recorderv1.RecordType_RECORD_TYPE_VERDICT {
				said[v.GetRolloutId()] = rec
			} else {
				order = append(order, v.GetRolloutId())
			}
		}
	}
	at := 0
	for _, frames := range rounds {
		var rows []Judged
		var expected []*recorderv1.Record
		for _, f := range frames {
			rec := said[f.GetRolloutId()]
			if rec == nil {
				t.Fatalf("%s has no verdict", f.GetRolloutId())
			}
			s, err := Summarise(rec.GetPayload())
			if err != nil {
				t.Fatal(err)
			}
			item := verdict(f.GetRolloutId(), "", f.GetDigest())
			item.Verdict, item.Summary = rec.GetPayload(), s
			rows = append(rows, Judged{ID: f.GetRolloutId(), Group: f.GetGroupId(), Digest: f.GetDigest(), Item: item})
			expected = append(expected, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: f.GetBody()})
			if drawn(f.GetRolloutId()) && s.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_DEADLINE {
				wanted = append(wanted, f.GetRolloutId())
			}
		}
		closing, _, err := Records(rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range append(expected, closing...) {
			if at >= len(log) || log[at].GetType() != e.GetType() || string(log[at].GetPayload()) != string(e.GetPayload()) {
				t.Fatalf("record %d is not the %s that the rows make", at, e.GetType())
			}
			at++
		}
	}
	if second && !slices.Equal(order, wanted) {
		t.Errorf("second verdicts of %v, want %v", order, wanted)
	}
	if !second && len(order) != 0 {
		t.Errorf("second verdicts of %v, and none were asked for", order)
	}
}

// A record of another kind where a verdict belongs is not read as one.
func TestAForeignRecordInTheRound(t *testing.T) {
	frames := round(0, 2, 2)
	for name, log := range map[string][]*recorderv1.Record{
		"a step":   {{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[0].GetBody()}, {Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[1].GetBody()}, {Type: recorderv1.RecordType_RECORD_TYPE_STEP}},
		"no proto": {{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[0].GetBody()}, {Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[1].GetBody()}, {Type: recorderv1.RecordType_RECORD_TYPE_VERDICT, Payload: []byte{0xff}}},
		"no outcome": {{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[0].GetBody()}, {Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: frames[1].GetBody()},
			{Type: recorderv1.RecordType_RECORD_TYPE_VERDICT}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.rec.set(func(d *recorder) { d.log, d.synced, d.told = log, len(log), len(log) })
			err := play(t.Context(), r.pump(false), frames, 0, 0, nil)
			if err == nil || !strings.Contains(err.Error(), map[string]string{"a step": "record 2 is a RECORD_TYPE_STEP", "no proto": "record 2", "no outcome": "s0.r0"}[name]) {
				t.Errorf("got %v", err)
			}
			if _, payments := r.trader.got(); payments != 0 {
				t.Error("paid")
			}
		})
	}
}
