package trainer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer"
	"github.com/provenir/provenir/services/trainer/engine"
)

func reason(name string) corev1.ErrorReason {
	return corev1.ErrorReason(corev1.ErrorReason_value["ERROR_REASON_"+name])
}

func TestWrongRewardsEndTheStage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(o *orchestrator, m *trainerv1.TrainRequest)
	}{
		{"a rollout that was never sent", "VERDICT_UNKNOWN_ROLLOUT", func(o *orchestrator, m *trainerv1.TrainRequest) {
			edit(o, m, func(r *corev1.Reward) { r.RolloutId = "b0.s0.p9.9" })
		}},
		{"the digest of another rollout", "VERDICT_UNKNOWN_ROLLOUT", func(o *orchestrator, m *trainerv1.TrainRequest) {
			edit(o, m, func(r *corev1.Reward) { r.RolloutDigest[0] ^= 1 })
		}},
		{"two different verdicts", "VERDICT_CONFLICT", func(o *orchestrator, m *trainerv1.TrainRequest) {
			before := m.GetVerdicts().GetRewards()[0]
			edit(o, m, func(r *corev1.Reward) { r.Verdict = &corev1.Reward_Scored{Scored: &corev1.Scored{Reward: 7}} })
			m.GetVerdicts().Rewards = append(m.GetVerdicts().GetRewards(), before)
		}},
		{"a frame of another epoch", "LEASE_LOST", func(_ *orchestrator, m *trainerv1.TrainRequest) { m.Epoch++ }},
		{"a frame is missing", "OUT_OF_ORDER", func(_ *orchestrator, m *trainerv1.TrainRequest) { m.Seq++ }},
		{"a frame without a body", "INVALID_ARGUMENT", func(_ *orchestrator, m *trainerv1.TrainRequest) { m.Body = nil }},
		{"a second start", "INVALID_ARGUMENT", func(o *orchestrator, m *trainerv1.TrainRequest) {
			m.Body = &trainerv1.TrainRequest_Start{Start: o.start}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			o := r.orchestrate(r.grpo(2, nil), newRun(t))
			done := false
			o.frame = func(m *trainerv1.TrainRequest) {
				if m.GetVerdicts() != nil && !done {
					done = true
					c.change(o, m)
				}
			}
			if seen, err := o.run(t.Context()); !rpc.Is(err, reason(c.want)) || len(seen.facts) != 0 {
				t.Errorf("%d steps, then %v; want %s", len(seen.facts), err, c.want)
			}
		})
	}
}

func edit(o *orchestrator, m *trainerv1.TrainRequest, f func(*corev1.Reward)) {
	var b corev1.RewardBatch
	if err := proto.Unmarshal(m.GetVerdicts().GetRewards()[0], &b); err != nil {
		o.t.Fatal(err)
	}
	f(b.GetRewards()[0])
	payload, err := proto.Marshal(&b)
	if err != nil {
		o.t.Fatal(err)
	}
	m.GetVerdicts().Rewards = [][]byte{payload}
}

// A reward that comes again with another value is refused also when its step is over.
func TestALateConflictEndsTheStage(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(3, nil), newRun(t))
	var first *trainerv1.TrainRequest
	o.frame = func(m *trainerv1.TrainRequest) {
		switch {
		case m.GetVerdicts() != nil && first == nil:
			first = proto.CloneOf(m)
		case m.GetVerdicts() != nil && m.GetVerdicts().GetStep() == 1 && first.Seq != 0:
			paid := m.GetVerdicts().GetRewards()
			edit(o, first, func(r *corev1.Reward) { r.Verdict = scored(9).GetVerdict() })
			m.GetVerdicts().Rewards = append(first.GetVerdicts().GetRewards(), paid...)
			first.Seq = 0
		}
	}
	if seen, err := o.run(t.Context()); !rpc.Is(err, reason("VERDICT_CONFLICT")) || len(seen.facts) != 1 {
		t.Errorf("%d steps, then %v", len(seen.facts), err)
	}
}

func TestTheFence(t *testing.T) {
	r := newRoom(t)
	run := newRun(t)
	held := make(chan struct{})
	old := r.orchestrate(r.grpo(4, nil), run)
	old.epoch = 5
	old.decide = func(step uint64) *trainerv1.StepDecision {
		if step == 1 {
			close(held)
			return &trainerv1.StepDecision{} // of no kind: held back below
		}
		return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_PROCEED}
	}
	old.frame = func(m *trainerv1.TrainRequest) {
		if d := m.GetDecision(); d != nil && d.GetDecision() == 0 {
			m.Body = &trainerv1.TrainRequest_Ack{Ack: &trainerv1.Ack{}}
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := old.run(t.Context())
		ended <- err
	}()
	<-held
	stale := r.orchestrate(r.grpo(4, nil), run)
	stale.epoch = 4
	if _, err := stale.run(t.Context()); !rpc.Is(err, reason("LEASE_LOST")) {
		t.Errorf("a lower epoch: %v", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("the stale stream ended the live one: %v", err)
	default:
	}
	again := r.orchestrate(r.grpo(4, nil), run)
	again.epoch = 5
	again.start.Resume = &trainerv1.ResumePoint{Step: 2}
	seen := again.must()
	if err := <-ended; !rpc.Is(err, reason("STREAM_REPLACED")) {
		t.Errorf("the replaced stream: %v", err)
	}
	whole := r.orchestrate(r.grpo(4, nil), newRun(t)).must()
	if seen.ready.GetResumeStep() != 2 || len(seen.chains) != 2 || seen.chains[1] != whole.chains[3] {
		t.Errorf("went on at step %d and made %d steps", seen.ready.GetResumeStep(), len(seen.chains))
	}
	r.serve(nil) // the epoch is on disk
	stale = r.orchestrate(r.grpo(4, nil), run)
	stale.epoch = 4
	if _, err := stale.run(t.Context()); !rpc.Is(err, reason("LEASE_LOST")) {
		t.Errorf("a lower epoch after a restart: %v", err)
	}
}

// Opening a large model takes a while; whoever takes the run over must not wait for the end of it.
func TestAStreamIsReplacedWhileItOpens(t *testing.T) {
	r := newRoom(t)
	opening, first := make(chan struct{}), true
	open := r.engine.Open
	r.engine.Open = func(ctx context.Context, o trainer.Open) (engine.Engine, error) {
		if !first {
			return open(ctx, o)
		}
		first = false
		close(opening)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r.serve(nil)
	run := newRun(t)
	old := r.orchestrate(r.grpo(2, nil), run)
	ended := make(chan error, 1)
	go func() {
		seen, err := old.run(t.Context())
		if seen.ready != nil {
			t.Error("the replaced stream was ready")
		}
		ended <- err
	}()
	<-opening
	again := r.orchestrate(r.grpo(2, nil), run).must()
	if err := <-ended; !rpc.Is(err, reason("STREAM_REPLACED")) {
		t.Errorf("the replaced stream: %v", err)
	}
	if whole := r.orchestrate(r.grpo(2, nil), newRun(t)).must(); !slices.Equal(again.chains, whole.chains) {
		t.Error("the new stream made other steps")
	}
}

func TestTheFirstFrameMustBeAStart(t *testing.T) {
	r := newRoom(t)
	for _, c := range []struct {
		name   string
		change func(*trainerv1.TrainRequest)
	}{
		{"no start", func(m *trainerv1.TrainRequest) { m.Body = &trainerv1.TrainRequest_Ack{Ack: &trainerv1.Ack{}} }},
		{"seq 2", func(m *trainerv1.TrainRequest) { m.Seq = 2 }},
		{"no uid", func(m *trainerv1.TrainRequest) { m.GetStart().RunId = "../../etc" }},
	} {
		o := r.orchestrate(r.grpo(1, nil), newRun(t))
		o.frame = c.change
		if _, err := o.run(t.Context()); !rpc.Is(err, reason("INVALID_ARGUMENT")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAnOrchestratorThatGoesEndsTheStream(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(50, nil), newRun(t))
	ctx, cancel := context.WithCancel(t.Context())
	o.decide = func(step uint64) *trainerv1.StepDecision {
		if step == 3 {
			cancel()
		}
		return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_PROCEED}
	}
	if _, err := o.run(ctx); err == nil || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("got %v", err)
	}
}
