// Package runner drives one stage of a run: engine on one side, the orchestrator's stream on the other.
//
// It owns what an engine does not know: prompts and their order, rollout ids, rewards, advantages, facts, the digest
// chain, snapshots, checkpoints, and what happens after a decision. Everything in a frame's body is a function of (spec,
// seed, code, rewards); what a clock says goes into StepTiming.
package runner

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/services/trainer/chain"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/plan"
	"github.com/provenir/provenir/services/trainer/rows"
)

// Points where a process may die.
const (
	PointSampled  faultline.Point = "trainer.sampled"
	PointSent     faultline.Point = "trainer.sent"
	PointRewarded faultline.Point = "trainer.rewarded"
	PointStepped  faultline.Point = "trainer.stepped"
	PointSnapshot faultline.Point = "trainer.snapshot"
	PointReported faultline.Point = "trainer.reported"
	PointSaved    faultline.Point = "trainer.saved"
)

// Link is the orchestrator's end of the stream.
type Link interface {
	// Send sends a frame; rollouts wait for byte credit.
	Send(ctx context.Context, m *trainerv1.TrainResponse) error
	// Rewards and Decision give the next frame of their kind.
	Rewards(ctx context.Context) (*trainerv1.VerdictBatch, error)
	Decision(ctx context.Context) (*trainerv1.StepDecision, error)
}

// Job is one stage.
type Job struct {
	Start       *trainerv1.Start
	Plan        plan.Plan
	Engine      engine.Engine // with the stage's starting weights
	Rows        []rows.Row
	Checkpoints *checkpoint.Store
	Snapshots   checkpoint.Snapshots
	Clock       clock.Clock
	Fault       *faultline.Line
	Log         *slog.Logger
	Env         map[string]string // of the process, beside the engine's own
}

// run is a job under way.
type run struct {
	Job
	link  Link
	order *rows.Order
	text  []encoded
	state checkpoint.State
	chain chain.Digest
	every uint64              // steps between snapshots; 0 takes them with checkpoints only
	first checkpoint.State    // where the stage began
	begin chain.Digest        // the chain there
	sent  map[string]*rollout // of the last steps, by id: rewards that come again
	past  [][]string          // their ids, by step
	saved *trainerv1.CheckpointSaved
}

// Run trains until the stage is complete, a decision ends it, or ctx does. A failure of the engine is told in Finished
// and returned.
func (j Job) Run(ctx context.Context, link Link) error {
	r := &run{Job: j, link: link}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	last := j.Start.GetFirstStep() + j.Plan.Spec.GetMaxSteps()
	for r.state.NextStep < last {
		stop, err := r.step(ctx)
		if errors.Is(err, faultline.ErrKilled) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err != nil {
			return errors.Join(err, r.finish(ctx, trainerv1.Outcome_OUTCOME_CRASHED, failure(err)))
		}
		if stop {
			return r.finish(ctx, trainerv1.Outcome_OUTCOME_STOPPED, nil)
		}
	}
	return r.finish(ctx, trainerv1.Outcome_OUTCOME_COMPLETED, nil)
}

func failure(err error) *trainerv1.Failure {
	f := &trainerv1.Failure{Category: trainerv1.FailureCategory_FAILURE_CATEGORY_ENGINE, Code: engine.ReasonOf(err), Message: err.Error()}
	if f.Code == "" {
		f.Code = "INTERNAL"
	}
	return f
}

func (r *run) finish(ctx context.Context, how trainerv1.Outcome, f *trainerv1.Failure) error {
	done := &trainerv1.Finished{Outcome: how, Chain: r.chain[:], Failure: f}
	if parent, err := hex.DecodeString(r.state.Parent); err == nil {
		done.Checkpoint = parent
	}
	return r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Finished{Finished: done}})
}

// prepare puts rows in order, restores the newest whole state at or before the resume point, and says Ready.
func (r *run) prepare(ctx context.Context) error {
	spec := r.Plan.Spec
	info := r.Engine.Info()
	var err error
	if r.text, err = encode(r.Engine.Tokenizer(), info.Context, r.Plan, r.Rows); err != nil {
		return err
	}
	r.order = rows.NewOrder(len(r.text), spec.GetSeed(), r.Start.GetStage())
	semantic, specDigest, err := r.Plan.Semantic()
	if err != nil {
		return err
	}
	base, tokenizer := r.Engine.WeightsDigest(), r.Engine.Tokenizer().Digest()
	if err := r.Engine.BeginStage(ctx); err != nil {
		return err
	}
	if info.Parameters <= 5_000_000 {
		r.every = 1
	}
	r.chain = chain.Start(r.Start.GetChain(), specDigest[:], base[:], spec.GetDataset().GetDigest(), tokenizer[:], spec.GetSeed())
	r.state = checkpoint.State{Stage: r.Start.GetStage(), NextStep: r.Start.GetFirstStep(), Spec: hex.EncodeToString(specDigest[:]),
		Base: hex.EncodeToString(base[:]), Dataset: hex.EncodeToString(spec.GetDataset().GetDigest()),
		Tokenizer: hex.EncodeToString(tokenizer[:]), Parent: hex.EncodeToString(r.Start.GetBase()), Chain: hex.EncodeToString(r.chain[:])}
	r.first, r.begin, r.sent = r.state, r.chain, map[string]*rollout{}
	orderDigest := r.order.Digest()
	damaged, err := r.restore(ctx)
	if err != nil {
		return err
	}
	err = r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Ready{Ready: &trainerv1.Ready{
		Engine: info.Name, Effective: spec, SpecDigest: specDigest[:], ResumeStep: r.state.NextStep, Branch: r.state.Branch,
		Env: r.environment(info), Repeatable: info.Repeatable, BaseDigest: base[:], TokenizerDigest: tokenizer[:], Semantic: semantic,
		Parameters: uint64(info.Parameters), OrderDigest: orderDigest[:], Chain: r.chain[:],
		DeclaredVsEffective: plan.Differs(r.Start.GetSpec(), r.Plan, info.Device, info.DeviceNote),
	}}})
	for _, e := range damaged { // after Ready, which comes first
		if err == nil {
			err = r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Event{Event: e}})
		}
	}
	if err == nil && r.Start.GetAnnounceBase() && r.state.NextStep == r.Start.GetFirstStep() {
		err = r.announce(ctx, r.state.NextStep)
	}
	return err
}

func (r *run) environment(info engine.Info) *corev1.Environment {
	env := &corev1.Environment{Values: map[string]string{"device": info.Device, "threads": fmt.Sprint(r.Plan.Spec.GetThreads())}}
	for _, from := range []map[string]string{r.Env, info.Environment} {
		for k, v := range from {
			env.Values[k] = v
		}
	}
	return env
}

// goBack restores weights, optimizer and cursor of a checkpoint and goes on from there on a branch. The checkpoint that
// ended the stage before has the state of that stage: going back to it begins this one anew, with a fresh optimizer.
func (r *run) goBack(ctx context.Context, digest []byte, branch uint32) error {
	st, folder, err := r.openCheckpoint(ctx, digest)
	if err != nil {
		return err
	}
	if bytes.Equal(digest, r.Start.GetBase()) {
		if err := r.Engine.Load(ctx, checkpoint.WithoutOptimizer(folder)); err != nil {
			return err
		}
		r.state, r.chain = r.first, r.begin
	} else if err := r.load(ctx, st, folder); err != nil {
		return err
	}
	r.state.Branch = branch
	return nil
}

func (r *run) openCheckpoint(ctx context.Context, digest []byte) (checkpoint.State, fs.FS, error) {
	c, err := r.Checkpoints.Find(ctx, hex.EncodeToString(digest))
	if err != nil {
		return checkpoint.State{}, nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: hex.EncodeToString(digest), Err: err}
	}
	folder, err := r.Checkpoints.Open(c)
	if err != nil {
		return checkpoint.State{}, nil, err
	}
	st, err := checkpoint.ReadState(folder)
	st.Parent = hex.EncodeToString(digest)
	return st, folder, err
}

// load takes weights, optimizer and position, after comparing what they belong to.
func (r *run) load(ctx context.Context, st checkpoint.State, folder fs.FS) error {
	for _, c := range []struct{ what, has, want string }{
		{"spec", st.Spec, r.state.Spec}, {"base", st.Base, r.state.Base}, {"dataset", st.Dataset, r.state.Dataset},
		{"tokenizer", st.Tokenizer, r.state.Tokenizer},
	} {
		if c.has != c.want {
			return &engine.Error{Reason: "CHECKPOINT_MISMATCH", Detail: fmt.Sprintf("the saved state is of %s %s, the run is of %s", c.what, c.has, c.want)}
		}
	}
	if err := r.Engine.Load(ctx, folder); err != nil {
		return err
	}
	link, err := hex.DecodeString(st.Chain)
	if err != nil || len(link) != len(r.chain) {
		return &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "trainer_state.json has no chain"}
	}
	r.state, r.chain = st, chain.Digest(link)
	return nil
}

// marshal gives the deterministic bytes that are recorded.
func marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
