package loop

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// engine makes steps that repeat themselves: what it sends is a function of stage, branch and step, and of the rewards it
// was paid. It keeps a snapshot after every step, fences epochs, and can crash, vanish, forget and lie.
type engine struct {
	trainerv1.UnimplementedTrainerServiceServer
	*diary
	mood
	signal func(step uint64) uint64 // groups with spread, of 2; nil is all
	spec   string                   // digest of the effective spec
	skips  bool                     // says complete without a step
	quits  bool                     // says stopped although nobody asked
	early  bool                     // reports a step in the middle of a round
	drift  string                   // changes every rollout: the engine does not repeat itself
	forget uint64                   // snapshots after this step are lost; 0 keeps all

	lock    sync.Mutex
	epoch   uint64
	starts  []*trainerv1.Start
	seen    []trainerv1.Decision
	crashes map[uint64]*trainerv1.Finished // ends the stage at a step, once for each time it is put in
}

// told gives the decisions that came, and begun the starts.
func (t *engine) told() []trainerv1.Decision {
	t.lock.Lock()
	defer t.lock.Unlock()
	return slices.Clone(t.seen)
}

func (t *engine) begun() []*trainerv1.Start {
	t.lock.Lock()
	defer t.lock.Unlock()
	return slices.Clone(t.starts)
}

func digest(parts ...any) []byte {
	d := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return d[:]
}

// training is one Train stream.
type training struct {
	t      *engine
	s      trainerv1.TrainerService_TrainServer
	start  *trainerv1.Start
	seq    uint64
	step   uint64
	branch uint32
	saved  []byte // newest checkpoint
}

func (t *engine) Train(s trainerv1.TrainerService_TrainServer) error {
	first, err := s.Recv()
	if err != nil {
		return err
	}
	if err := t.at("start"); err != nil {
		return err
	}
	start := first.GetStart()
	t.lock.Lock()
	old := first.GetEpoch() < t.epoch
	t.epoch = max(t.epoch, first.GetEpoch())
	t.starts = append(t.starts, start)
	t.lock.Unlock()
	if old {
		return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "an old epoch")
	}
	t.note(fmt.Sprintf("start stage %d", start.GetStage()))
	x := &training{t: t, s: s, start: start, step: start.GetFirstStep(), saved: start.GetBase()}
	if r := start.GetResume(); r != nil {
		x.step, x.branch = r.GetStep(), r.GetBranch()
		if t.forget > 0 {
			x.step = max(start.GetFirstStep(), min(x.step, t.forget))
		}
	}
	ready := &trainerv1.Ready{Engine: "fake", Effective: start.GetSpec(), SpecDigest: digest("spec", t.spec), Semantic: mustMarshal(&trainerv1.TrainSpec{}),
		ResumeStep: x.step, Branch: x.branch, Repeatable: true, BaseDigest: digest("base")}
	if err := x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Ready{Ready: ready}}); err != nil {
		return err
	}
	if start.GetAnnounceBase() {
		if err := x.checkpoint("base"); err != nil {
			return err
		}
	}
	return x.run()
}

func mustMarshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil
	}
	return b
}

func (x *training) send(m *trainerv1.TrainResponse) error {
	x.seq++
	m.Seq = x.seq
	return x.s.Send(m)
}

func (x *training) checkpoint(of any) error {
	x.saved = digest("checkpoint", x.start.GetStage(), x.branch, of)
	return x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Checkpoint{Checkpoint: &trainerv1.CheckpointSaved{
		Digest: x.saved, Step: x.step, Branch: x.branch, Stage: x.start.GetStage()}}})
}

func (x *training) finish(f *trainerv1.Finished) error {
	f.Chain = digest("chain", x.step-1)
	return x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Finished{Finished: f}})
}

func (x *training) run() error {
	last := x.start.GetFirstStep() + x.start.GetSpec().GetMaxSteps()
	if x.t.skips {
		x.step = last
	}
	for x.step < last {
		x.t.lock.Lock()
		crash := x.t.crashes[x.step]
		x.t.lock.Unlock()
		if err := x.t.at(fmt.Sprint("step ", x.step)); err != nil {
			return err
		}
		if crash != nil {
			return x.finish(proto.CloneOf(crash))
		}
		if x.t.quits {
			return x.finish(&trainerv1.Finished{Outcome: trainerv1.Outcome_OUTCOME_STOPPED})
		}
		if stop, err := x.one(last); err != nil {
			return err
		} else if stop {
			return x.finish(&trainerv1.Finished{Outcome: trainerv1.Outcome_OUTCOME_STOPPED, Checkpoint: x.saved})
		}
	}
	return x.finish(&trainerv1.Finished{Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, Checkpoint: x.saved})
}

// one makes a step: two groups of two rows in RL, the report, a checkpoint where one is due, and the decision.
func (x *training) one(last uint64) (stop bool, err error) {
	rl := x.start.GetSpec().GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_SFT
	paid := []byte(nil)
	if rl {
		if paid, err = x.round(); err != nil {
			return false, err
		}
	}
	at := x.step
	facts := &corev1.StepFacts{Step: at, Branch: x.branch, StageStep: at - x.start.GetFirstStep(), StageSteps: x.start.GetSpec().GetMaxSteps(), VerdictsDigest: paid}
	if rl {
		facts.GroupsTotal, facts.GroupsWithSignal = 2, 2
		if x.t.signal != nil {
			facts.GroupsWithSignal = x.t.signal(at)
		}
	}
	done := at - x.start.GetFirstStep() + 1
	due := at+1 == last || bytes.Contains(stepSet(x.start.GetCheckpointSteps()), []byte{byte(done)})
	report := &trainerv1.StepReport{Facts: mustMarshal(facts), Chain: digest("chain", at), Step: at, Branch: x.branch, CheckpointFollows: due}
	event := &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Event{Event: &trainerv1.EngineEvent{Kind: "gc", Detail: fmt.Sprint("step ", at)}}}
	if err := errors.Join(x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Heartbeat{Heartbeat: &trainerv1.Heartbeat{Step: at}}}), x.send(event),
		x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Step{Step: report}})); err != nil {
		return false, err
	}
	if due {
		if err := errors.Join(x.send(proto.CloneOf(event)), x.checkpoint(at)); err != nil {
			return false, err
		}
	}
	return x.decide(at, due)
}

func stepSet(steps []uint64) []byte {
	var out []byte
	for _, s := range steps {
		out = append(out, byte(s))
	}
	return out
}

func (x *training) round() (paid []byte, err error) {
	var frames []*trainerv1.RolloutFrame
	for i := range 4 {
		id := fmt.Sprintf("b%d.s%d.%d", x.branch, x.step, i)
		body := []byte(id + x.t.drift)
		frames = append(frames, &trainerv1.RolloutFrame{RolloutId: id, GroupId: fmt.Sprintf("b%d.s%d.g%d", x.branch, x.step, i/2), Body: body, Digest: digest(string(body))})
	}
	for i, part := range [][]*trainerv1.RolloutFrame{frames[:2], frames[2:]} {
		b := &trainerv1.RolloutBatch{Step: x.step, Branch: x.branch, Rollouts: part, LastOfRound: i == 1 && !x.t.early}
		if err := x.send(&trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Rollouts{Rollouts: b}}); err != nil {
			return nil, err
		}
	}
	if x.t.early {
		return nil, nil
	}
	for {
		m, err := x.s.Recv()
		if err != nil {
			return nil, err
		}
		if v := m.GetVerdicts(); v != nil {
			x.t.note("paid")
			h := sha256.Sum256(bytes.Join(v.GetRewards(), nil))
			return h[:], nil
		}
	}
}

func (x *training) decide(at uint64, saved bool) (stop bool, err error) {
	for {
		m, err := x.s.Recv()
		if err != nil {
			return false, err
		}
		d := m.GetDecision()
		if d == nil {
			continue
		}
		x.t.lock.Lock()
		x.t.seen = append(x.t.seen, d.GetDecision())
		x.t.lock.Unlock()
		x.t.note("decision " + d.GetDecision().String()[len("DECISION_"):])
		switch d.GetDecision() {
		case trainerv1.Decision_DECISION_PAUSE:
		case trainerv1.Decision_DECISION_SAVE_AND_STOP:
			if !saved {
				err = x.checkpoint(at)
			}
			x.step = at + 1
			return true, err
		case trainerv1.Decision_DECISION_ROLLBACK:
			x.branch++
			for s := x.start.GetFirstStep(); s <= at; s++ { // the step after that checkpoint
				for b := range x.branch {
					if bytes.Equal(d.GetCheckpoint(), digest("checkpoint", x.start.GetStage(), b, s)) {
						x.step = s + 1
						return false, nil
					}
				}
			}
			x.step = x.start.GetFirstStep()
			return false, nil
		default:
			x.step = at + 1
			return false, nil
		}
	}
}
