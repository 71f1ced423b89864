package trainer_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

func TestItLearnsWhatIsPaid(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(30, nil), newRun(t))
	seen := o.must()
	if seen.finished.GetOutcome() != trainerv1.Outcome_OUTCOME_COMPLETED || len(seen.facts) != 30 || seen.ready.GetEngine() != "tabular" {
		t.Fatalf("%v after %d steps by %s", seen.finished, len(seen.facts), seen.ready.GetEngine())
	}
	mean := func(f *corev1.StepFacts) float64 { return metric(f, "reward.mean") }
	if first, last := mean(seen.facts[0]), mean(seen.facts[29]); last < first+.2 {
		t.Errorf("the mean reward went from %.2f to %.2f", first, last)
	}
	if last := seen.checkpoints[len(seen.checkpoints)-1]; string(last.GetDigest()) != string(seen.finished.GetCheckpoint()) {
		t.Error("finished names another checkpoint than the last one")
	}
}

func metric(f *corev1.StepFacts, name string) float64 {
	for _, m := range f.GetMetrics() {
		if m.GetCanonical() == name {
			return m.GetValue()
		}
	}
	return -1
}

// The chain is a function of spec, seed and rewards: not of the order in which rewards come, how often, or in which run.
func TestTheChainDoesNotDependOnTiming(t *testing.T) {
	r := newRoom(t)
	plain := r.orchestrate(r.grpo(6, nil), newRun(t)).must()
	for seed := range uint64(4) {
		o := r.orchestrate(r.grpo(6, nil), newRun(t))
		o.twist = rand.New(rand.NewPCG(seed, 1))
		if got := o.must(); !slices.Equal(got.chains, plain.chains) {
			t.Errorf("twist %d: another chain", seed)
		}
	}
	other := r.orchestrate(r.grpo(6, func(s *trainerv1.TrainSpec) { s.Seed = 8 }), newRun(t)).must()
	if slices.Equal(other.chains, plain.chains) || string(other.ready.GetChain()) == string(plain.ready.GetChain()) {
		t.Error("another seed gave the same chain")
	}
	paid := r.orchestrate(r.grpo(6, nil), newRun(t))
	paid.pay = func(x *corev1.Rollout) *corev1.Reward {
		reward := right(x)
		reward.GetScored().Reward /= 2
		return reward
	}
	if got := paid.must(); slices.Equal(got.chains, plain.chains) {
		t.Error("other rewards gave the same chain")
	}
}

// Frames leave in row order, groups whole, whatever the window: the ledger must not depend on timing.
func TestRolloutsLeaveInOrderAndWaitForCredit(t *testing.T) {
	r := newRoom(t)
	spec := r.grpo(2, func(s *trainerv1.TrainSpec) { s.Sampling.PromptsPerStep, s.Dataset.Digest = 30, r.put(30) })
	o := r.orchestrate(spec, newRun(t))
	o.start.Credit.Bytes, o.grant = 1, 20_000 // less than a round: it goes on only as it is granted
	seen := o.must()
	if len(seen.frames) != 2*30*8 {
		t.Fatalf("%d rollouts", len(seen.frames))
	}
	for i, f := range seen.frames {
		step, in := i/240, i%240
		group := fmt.Sprintf("b0.s%d.p%d", step, step*30+in/8)
		if f.GetGroupId() != group || f.GetRolloutId() != fmt.Sprintf("%s.%d", group, in%8) || f.GetGroupSize() != 8 {
			t.Fatalf("frame %d is %s of %s", i, f.GetRolloutId(), f.GetGroupId())
		}
		if d := sha256.Sum256(f.GetBody()); string(d[:]) != string(f.GetDigest()) {
			t.Fatalf("frame %d has another digest than its body", i)
		}
	}
}

func TestNoWindowNoRollout(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(1, nil), newRun(t))
	o.start.Credit.Bytes = 0
	stream, err := r.client.Train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.stream = stream
	o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Start{Start: o.start}})
	if m, err := stream.Recv(); err != nil || m.GetReady() == nil {
		t.Fatalf("%v, %v", m, err)
	}
	o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Ack{Ack: &trainerv1.Ack{}}}) // no grant
	o.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Credit{Credit: &trainerv1.Credit{Bytes: 1 << 20}}})
	m, err := stream.Recv()
	if err != nil || len(m.GetRollouts().GetRollouts()) != 16 || m.GetSeq() != 2 {
		t.Fatalf("%v, %v", m, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
}

func TestImitationSendsNoRollouts(t *testing.T) {
	r := newRoom(t)
	seen := r.orchestrate(r.sft(8), newRun(t)).must()
	if len(seen.frames) != 0 || len(seen.facts) != 8 || seen.facts[0].GetObjective() != "sft" {
		t.Fatalf("%d rollouts in %d steps of %s", len(seen.frames), len(seen.facts), seen.facts[0].GetObjective())
	}
	if !proto.Equal(seen.finished, &trainerv1.Finished{Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, Chain: []byte(seen.chains[7]),
		Checkpoint: seen.checkpoints[len(seen.checkpoints)-1].GetDigest()}) {
		t.Errorf("finished with %v", seen.finished)
	}
}
