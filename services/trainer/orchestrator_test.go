package trainer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

// orchestrator is the other end of a Train stream: it pays by a rule and decides by a rule, in whatever order it is told.
type orchestrator struct {
	t      *testing.T
	client trainerv1.TrainerServiceClient
	start  *trainerv1.Start
	epoch  uint64
	pay    func(x *corev1.Rollout) *corev1.Reward // nil pays the right answer
	decide func(step uint64) *trainerv1.StepDecision
	twist  *rand.Rand // shuffles, splits, repeats and delays rewards
	grant  uint64     // credit after every message of rollouts
	frame  func(m *trainerv1.TrainRequest)

	stream trainerv1.TrainerService_TrainClient
	seq    uint64
	late   []*trainerv1.VerdictBatch
	seen   transcript
}

// transcript is what the trainer said.
type transcript struct {
	ready       *trainerv1.Ready
	rollouts    []*corev1.Rollout
	frames      []*trainerv1.RolloutFrame
	facts       []*corev1.StepFacts
	chains      []string
	checkpoints []*trainerv1.CheckpointSaved
	events      []*trainerv1.EngineEvent
	finished    *trainerv1.Finished
}

func (r *room) orchestrate(spec *trainerv1.TrainSpec, run string) *orchestrator {
	return &orchestrator{t: r.t, client: r.client, epoch: 1, start: &trainerv1.Start{RunId: run, Spec: spec,
		Credit: &trainerv1.Credit{Bytes: 1 << 30}}}
}

// right pays 1 for the answer in the column.
func right(x *corev1.Rollout) *corev1.Reward {
	var want string
	for _, c := range x.GetColumns() {
		if c.GetKey() == "answer" && json.Unmarshal(c.GetJson(), &want) != nil {
			want = ""
		}
	}
	reward := 0.
	if string(x.GetSegments()[1].GetText()) == want {
		reward = 1
	}
	return scored(reward)
}

func scored(reward float64) *corev1.Reward {
	return &corev1.Reward{Use: corev1.TrainUse_TRAIN_USE_USE, Verdict: &corev1.Reward_Scored{Scored: &corev1.Scored{Reward: reward}}}
}

func unscored() *corev1.Reward {
	return &corev1.Reward{Use: corev1.TrainUse_TRAIN_USE_USE, Verdict: &corev1.Reward_Unscored{
		Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_DEADLINE}}}
}

func (o *orchestrator) send(m *trainerv1.TrainRequest) {
	o.seq++
	m.Seq, m.Epoch = o.seq, o.epoch
	if o.frame != nil {
		o.frame(m)
	}
	if err := o.stream.Send(m); err != nil && !errors.Is(err, io.EOF) { // the reason comes with Recv
		o.t.Error(err)
	}
}

// run trains until the stream ends.
func (o *orchestrator) run(ctx context.Context) (transcript, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	if o.stream, err = o.client.Train(ctx); err != nil {
		return o.seen, err
	}
	o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Start{Start: o.start}})
	var round []*trainerv1.RolloutFrame
	for {
		m, err := o.stream.Recv()
		if errors.Is(err, io.EOF) {
			return o.seen, nil
		}
		if err != nil {
			return o.seen, err
		}
		switch b := m.GetBody().(type) {
		case *trainerv1.TrainResponse_Ready:
			o.seen.ready = b.Ready
		case *trainerv1.TrainResponse_Rollouts:
			round = append(round, b.Rollouts.GetRollouts()...)
			if o.grant > 0 {
				o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Credit{Credit: &trainerv1.Credit{Bytes: o.grant}}})
			}
			if b.Rollouts.GetLastOfRound() {
				o.reward(b.Rollouts, round)
				round = nil
			}
		case *trainerv1.TrainResponse_Step:
			o.report(b.Step)
		case *trainerv1.TrainResponse_Checkpoint:
			o.seen.checkpoints = append(o.seen.checkpoints, b.Checkpoint)
		case *trainerv1.TrainResponse_Event:
			if o.seen.ready == nil {
				o.t.Error("an event came before Ready")
			}
			o.seen.events = append(o.seen.events, b.Event)
		case *trainerv1.TrainResponse_Finished:
			o.seen.finished = b.Finished
		}
	}
}

func (o *orchestrator) reward(at *trainerv1.RolloutBatch, round []*trainerv1.RolloutFrame) {
	o.seen.frames = append(o.seen.frames, round...)
	var batches []*trainerv1.VerdictBatch
	for _, f := range round {
		x := &corev1.Rollout{}
		if err := proto.Unmarshal(f.GetBody(), x); err != nil {
			o.t.Fatal(err)
		}
		o.seen.rollouts = append(o.seen.rollouts, x)
		pay := o.pay
		if pay == nil {
			pay = right
		}
		paid := pay(x)
		if paid.RolloutId == "" {
			paid.RolloutId, paid.RolloutDigest = f.GetRolloutId(), f.GetDigest()
		}
		batches = append(batches, o.batch(at, paid))
	}
	if o.twist != nil { // what came late before comes between
		again := batches[o.twist.IntN(len(batches))]
		batches, o.late = append(batches, append(o.late, again)...), []*trainerv1.VerdictBatch{again}
		o.twist.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	}
	for _, b := range batches {
		o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Verdicts{Verdicts: proto.CloneOf(b)}})
	}
}

func (o *orchestrator) batch(at *trainerv1.RolloutBatch, paid ...*corev1.Reward) *trainerv1.VerdictBatch {
	payload, err := proto.Marshal(&corev1.RewardBatch{Rewards: paid})
	if err != nil {
		o.t.Fatal(err)
	}
	return &trainerv1.VerdictBatch{Rewards: [][]byte{payload}, Step: at.GetStep(), Round: at.GetRound()}
}

func (o *orchestrator) report(s *trainerv1.StepReport) {
	f := &corev1.StepFacts{}
	if err := proto.Unmarshal(s.GetFacts(), f); err != nil {
		o.t.Fatal(err)
	}
	o.seen.facts, o.seen.chains = append(o.seen.facts, f), append(o.seen.chains, string(s.GetChain()))
	d := &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_PROCEED}
	if o.decide != nil {
		d = o.decide(s.GetStep())
	}
	d.Step = s.GetStep()
	o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Decision{Decision: d}})
	if d.GetDecision() == trainerv1.Decision_DECISION_PAUSE { // and goes on
		o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Decision{Decision: &trainerv1.StepDecision{Step: s.GetStep(), Decision: trainerv1.Decision_DECISION_PROCEED}}})
	}
}

// must runs to the end.
func (o *orchestrator) must() transcript {
	o.t.Helper()
	seen, err := o.run(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return seen
}
