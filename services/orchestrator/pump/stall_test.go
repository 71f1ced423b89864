package pump

import (
	"context"
	"math"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/credit"
	"github.com/provenir/provenir/internal/rpc"
)

func nan() float64 { return math.NaN() }

// While the disk stalls nothing is paid, wherever in the round it stalls; when it goes on the round is paid.
func TestNothingIsPaidWhileTheDiskStalls(t *testing.T) {
	frames := round(0, 8, 4)
	full := len(want(t, frames, fresh("")))
	for limit := range full {
		r := newRig(t)
		r.rec.set(func(d *recorder) { d.limit = limit })
		p := r.pump(false)
		done := make(chan error, 1)
		go func() { done <- play(t.Context(), p, frames, 0, 0, nil) }()
		r.await(r.rec.bell, "the whole round is at the recorder", func() bool { return len(r.rec.records()) == full })
		if _, payments := r.trader.got(); payments != 0 {
			t.Fatalf("paid with %d of %d records on disk", limit, full)
		}
		r.rec.set(func(d *recorder) { d.limit = plenty })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, payments := r.trader.got(); payments != 1 {
			t.Errorf("%d payments", payments)
		}
		r.honest()
	}
}

// Whatever the recorder refuses a round for, the round is not paid, and the error says why and where.
func TestTheRecorderRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		mood   func(*recorder)
		reason corev1.ErrorReason
		says   string
	}{
		{"disk full at a rollout", func(d *recorder) { d.room = 3 }, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL, "record 3: RECORD_TYPE_ROLLOUT"},
		{"disk full at a verdict", func(d *recorder) { d.room = 9 }, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL, "record 9: RECORD_TYPE_VERDICT"},
		{"disk full at a reward", func(d *recorder) { d.room = 17 }, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL, "record 17: RECORD_TYPE_REWARD"},
		{"other bytes are recorded", func(d *recorder) {
			d.log = []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: []byte("another life")}}
			d.synced, d.told = 1, 1
		}, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY, "record 0: RECORD_TYPE_ROLLOUT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.rec.set(c.mood)
			err := play(t.Context(), r.pump(false), round(0, 8, 4), 0, 0, nil)
			if !rpc.Is(err, c.reason) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s with %q", err, c.reason, c.says)
			}
			if _, payments := r.trader.got(); payments != 0 {
				t.Error("the round was paid")
			}
		})
	}
}

// The sleeper's story: an owner whose epoch has been passed is refused at open, and in the middle of a round.
func TestAnOldEpochIsFenced(t *testing.T) {
	r := newRig(t)
	old := r.pump(false)
	if err := play(t.Context(), old, round(0, 8, 4), 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	young, err := r.open(2, old.Ledger.Next(), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(young)
	before := len(r.rec.records())
	if err := play(t.Context(), old, round(1, 8, 4), 1, 0, nil); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEASE_LOST) {
		t.Errorf("the sleeper wrote on: %v", err)
	}
	if after := len(r.rec.records()); after != before {
		t.Errorf("the sleeper left %d records", after-before)
	}
	if _, err := r.open(1, 0, false, nil); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEASE_LOST) {
		t.Errorf("the sleeper opened again: %v", err)
	}
	if err := play(t.Context(), young, round(1, 8, 4), 1, 0, nil); err != nil {
		t.Errorf("the new owner: %v", err)
	}
	r.honest()
}

// A stream that ends without a word is an error, not an end.
func TestARecorderThatHangsUp(t *testing.T) {
	r := newRig(t)
	r.rec.set(func(d *recorder) { d.limit = 0 })
	p := r.pump(false)
	done := make(chan error, 1)
	go func() { done <- play(t.Context(), p, round(0, 4, 4), 0, 0, nil) }()
	r.await(r.rec.bell, "the round is there", func() bool { return len(r.rec.records()) == 9 })
	r.rec.set(func(d *recorder) { d.hangup = true })
	if err := <-done; err == nil || !strings.Contains(err.Error(), "the recorder ended the stream") {
		t.Errorf("got %v", err)
	}
	if _, payments := r.trader.got(); payments != 0 {
		t.Error("paid although nothing was acknowledged")
	}
	if err := p.Ledger.Append(t.Context(), &recorderv1.Record{Payload: []byte("x")}); err == nil {
		t.Error("a dead ledger takes records")
	}
}

func TestARecorderThatDoesNotSayWhereItStands(t *testing.T) {
	r := newRig(t)
	r.rec.silent = true
	if _, err := r.open(1, 0, false, nil); err == nil || !strings.Contains(err.Error(), "next_seq") {
		t.Errorf("got %v", err)
	}
}

// Each end that is slow stops the trainer: it gets back only the credit of what both ends have taken.
func TestCreditRunsOut(t *testing.T) {
	const size = 40 // bytes of a rollout
	for _, c := range []struct {
		name  string
		stall func(*rig)
		taken int // rollouts that get through
		free  func(*rig)
	}{
		{"the disk", func(r *rig) {
			r.rec.window = 5*size + 1
			r.rec.set(func(d *recorder) { d.limit = 0 })
		}, 5, func(r *rig) { r.rec.set(func(d *recorder) { d.limit = plenty }) }},
		{"the verifier, by bytes", func(r *rig) {
			r.ver.bytes = 7*size + 1
			r.ver.set(func(v *verifier) { v.hold = true })
		}, 7, func(r *rig) { r.ver.set(func(v *verifier) { v.hold = false }) }},
		{"the verifier, by items", func(r *rig) {
			r.ver.items = 3
			r.ver.set(func(v *verifier) { v.hold = true })
		}, 3, func(r *rig) { r.ver.set(func(v *verifier) { v.hold = false }) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			c.stall(r)
			p := r.pump(false)
			frames := round(0, 20, 4)
			trainer := credit.NewWindow()
			trainer.Grant(1 << 20)
			added := make(chan error, 1)
			go func() {
				for i := range frames {
					if err := p.Add(t.Context(), frames[i:i+1]); err != nil {
						added <- err
						return
					}
				}
				added <- p.Finish(t.Context(), 0, 0)
			}()
			r.await(r.ver.bell, "the window is used up", func() bool {
				asked, _ := r.ver.count()
				return asked >= c.taken
			})
			if back, payments := r.trader.got(); back > uint64(c.taken*size) || payments != 0 {
				t.Errorf("%d bytes of credit went back, at most %d may; %d payments", back, c.taken*size, payments)
			}
			c.free(r)
			if err := <-added; err != nil {
				t.Fatal(err)
			}
			if back, payments := r.trader.got(); back != 20*size || payments != 1 {
				t.Errorf("%d bytes came back in all, want %d; %d payments", back, 20*size, payments)
			}
			same(t, r.rec.records(), want(t, frames, fresh("")))
			r.honest()
		})
	}
}

// A round may be many times larger than every window on its way: the trainer's, the recorder's, the verifier's.
func TestARoundLargerThanEveryWindow(t *testing.T) {
	r := newRig(t)
	r.rec.window, r.ver.bytes, r.ver.items = 300, 200, 3
	p := r.pump(false)
	sent := &sender{trader: r.trader, window: credit.NewWindow()}
	sent.window.Grant(120)
	p.Payer = sent
	frames := round(0, 64, 8)
	for i := 0; i < len(frames); i += 2 {
		if err := sent.window.Take(t.Context(), 80); err != nil {
			t.Fatal(err)
		}
		if err := p.Add(t.Context(), frames[i:i+2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Finish(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
	same(t, r.rec.records(), want(t, frames, fresh("")))
	if sent.window.Free() != 120 {
		t.Errorf("%d bytes of the trainer's window are left, want all 120", sent.window.Free())
	}
	r.honest()
}

// sender is a trainer that sends only what it has credit for.
type sender struct {
	*trader
	window *credit.Window
}

func (s *sender) Credit(n uint64) error {
	s.window.Grant(int64(n))
	return s.trader.Credit(n)
}

// A rollout larger than a whole window passes by itself: nothing could ever make room for it.
func TestARolloutLargerThanTheWindow(t *testing.T) {
	r := newRig(t)
	r.rec.window, r.ver.bytes = 500, 500
	p := r.pump(false)
	frames := []*trainerv1.RolloutFrame{frame("small", "", 40), frame("huge", "", 5000), frame("small too", "", 40)}
	for i := range frames {
		if err := p.Add(t.Context(), frames[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Finish(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
	same(t, r.rec.records(), want(t, frames, fresh("")))
}

// Waiting for credit ends with the context, on both sides.
func TestWaitingForCreditCanBeStopped(t *testing.T) {
	for name, stall := range map[string]func(*rig){
		"recorder": func(r *rig) { r.rec.window, r.rec.limit = 50, 0 },
		"verifier": func(r *rig) { r.ver.items, r.ver.hold = 1, true },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			stall(r)
			p := r.pump(false)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- play(ctx, p, round(0, 4, 4), 0, 0, nil) }()
			bell := map[string]*Bell{"recorder": r.rec.bell, "verifier": r.ver.bell}[name]
			r.await(bell, "the first rollouts are taken", func() bool {
				asked, _ := r.ver.count()
				return asked > 0 || len(r.rec.records()) > 0
			})
			cancel()
			if err := <-done; err == nil {
				t.Error("a round was closed that could not be sent")
			}
		})
	}
}

// A trainer that has gone ends the round with an error, after everything was recorded: its rewards are in the log.
func TestATrainerThatHasGone(t *testing.T) {
	r := newRig(t)
	p := r.pump(false)
	frames := round(0, 4, 4)
	if err := p.Add(t.Context(), frames); err != nil {
		t.Fatal(err)
	}
	r.trader.broken = context.DeadlineExceeded
	if err := p.Finish(t.Context(), 0, 0); err == nil || !strings.Contains(err.Error(), "pay") {
		t.Errorf("got %v", err)
	}
	same(t, r.rec.records(), want(t, frames, fresh("")))
	if err := p.Add(t.Context(), frames); err == nil || !strings.Contains(err.Error(), "credit") {
		t.Errorf("got %v", err)
	}
}

// An open that the verifier refuses names the reason, and nothing is left running.
func TestTheVerifierRefusesToOpen(t *testing.T) {
	r := newRig(t)
	bad := &refusing{}
	if _, err := OpenJudge(t.Context(), bad, JudgeSpec{}, NewBell()); err == nil {
		t.Error("opened")
	}
	for _, first := range []*verifierv1.VerifyRolloutsResponse{
		{Frame: &verifierv1.VerifyRolloutsResponse_Reject{Reject: &verifierv1.VerifyReject{Reason: "UNKNOWN_VERIFIER", Detail: "mth; did you mean math"}}},
		{Frame: &verifierv1.VerifyRolloutsResponse_Verdicts{}},
	} {
		j := &Judge{bytes: credit.NewWindow(), items: credit.NewWindow()}
		err := j.begin(first)
		if err == nil || first.GetReject() != nil && !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_UNKNOWN_VERIFIER) {
			t.Errorf("got %v", err)
		}
	}
	_ = r
}
