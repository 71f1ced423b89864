package loop

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/pump"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// try is one attempt at the run, from wherever it stands to its end.
func (o *Owner) try(ctx context.Context) error {
	if err := o.Fault.At(PointAttempt); err != nil {
		return err
	}
	if c, closed, err := o.Journal.Closed(ctx, o.Run.GetUid()); err != nil || closed {
		if err == nil {
			err = o.seal(ctx, c)
		}
		return err
	}
	if early, err := o.cancelledEarly(ctx); err != nil || early {
		if err == nil {
			err = o.over(ctx, run.Cancelled, func(*orchestratorv1.Run) {})
		}
		return err
	}
	a := &attempt{Owner: o}
	bell := pump.NewBell()
	if err := o.state(ctx, run.Starting, "checking"); err != nil {
		return err
	}
	data, err := o.check(ctx)
	if err != nil {
		return err
	}
	if a.ledger, err = pump.OpenLedger(ctx, o.Peers.Recorder, o.Run.GetUid(), o.grant.Epoch, o.recorderSpec(), bell); err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	defer a.ledger.Close()
	if err := o.Fault.At(PointOpened); err != nil {
		return err
	}
	if err := a.openPump(ctx, bell); err != nil {
		return err
	}
	if a.pump.Judge != nil {
		defer a.pump.Judge.Close()
	}
	last, begun, err := o.Journal.LastWithin(ctx, o.Run.GetUid(), a.ledger.Recorded())
	if err != nil {
		return err
	}
	if begun || a.ledger.Recorded() > 0 {
		if err := o.resumed(ctx); err != nil {
			return err
		}
	}
	if begun {
		a.from(last)
	} else if err := a.runOpen(ctx); err != nil {
		return err
	}
	if begun && last.End != 0 {
		if err := a.stopped(ctx); err != nil {
			return err
		}
		return a.end(ctx, run.State(last.End))
	}
	for _, s := range o.stages {
		if a.step >= s.FirstStep+s.Spec.GetMaxSteps() {
			continue // complete, and the next stage begins from its checkpoint
		}
		a.stage = s
		if err := a.runStage(ctx, data); err != nil {
			return err
		}
		if a.ending != 0 {
			return a.end(ctx, a.ending)
		}
	}
	return a.end(ctx, run.Succeeded)
}

// cancelledEarly says whether the run was cancelled before anything of it was recorded: then nothing needs to begin.
func (o *Owner) cancelledEarly(ctx context.Context) (bool, error) {
	cancelled, err := o.cancelled(ctx)
	if err != nil || !cancelled {
		return false, err
	}
	_, begun, err := o.Journal.Stage(ctx, o.Run.GetUid(), 0)
	return !begun, err
}

// stopped takes the checkpoint that the stop saved, where it was recorded before this process's predecessor died.
func (a *attempt) stopped(ctx context.Context) error {
	seq := a.ledger.Next()
	if seq >= a.ledger.Recorded() {
		return nil
	}
	events, err := a.recorded(ctx, seq, seq+1)
	if err != nil {
		return fmt.Errorf("read what followed the stop: %w", err)
	}
	if len(events) != 1 || events[0].GetType() != recorderv1.RecordType_RECORD_TYPE_MODEL_CHECKPOINT {
		return nil
	}
	var saved trainerv1.CheckpointSaved
	if err := proto.Unmarshal(events[0].GetPayload(), &saved); err != nil {
		return fmt.Errorf("record %d: %w", seq, err)
	}
	a.checkpoint = saved.GetDigest()
	a.ledger.Seek(seq + 1)
	return nil
}

// from takes up where the journal's last step left off.
func (a *attempt) from(last journal.Step) {
	a.step, a.branch, a.gate = last.ResumeStep, last.NextBranch, last.Gate
	a.checkpoint, a.chain = last.Checkpoint, last.Chain
	a.pump.Rollouts, a.pump.Scored, a.pump.Clocked = last.Rollouts, last.Scored, last.Clocked
	a.ledger.Seek(last.NextSeq)
}

func (a *attempt) openPump(ctx context.Context, bell *pump.Bell) error {
	spec := a.Run.GetSpec()
	limit := spec.GetLimits().GetVerdictTimeout()
	if limit == nil {
		limit = durationpb.New(30 * time.Second)
	}
	a.pump = &pump.Pump{Ledger: a.ledger, Bell: bell, Clock: a.Clock, Fault: a.Fault, Recorded: a.recorded,
		Timeout: limit.AsDuration() + 5*time.Second, Second: spec.GetHeldoutVerifier() != nil, ByRow: byRow(spec.GetRecorder())}
	rl := false
	for _, s := range a.stages {
		rl = rl || s.RL
	}
	if !rl {
		return nil
	}
	js := pump.JudgeSpec{Run: a.Run.GetUid(), Spec: spec.GetVerifier(), Deadline: limit}
	if h := spec.GetHeldoutVerifier(); h != nil {
		js.Holdout = &verifierv1.Holdout{Spec: h, Seed: spec.GetSeed()}
	}
	j, err := pump.OpenJudge(ctx, a.Peers.Verifier, js, bell)
	if err != nil {
		return fmt.Errorf("open the verifier: %w", err)
	}
	a.pump.Judge, a.judge = j, j.Opened()
	return nil
}

// byRow tells whether rows are erased one by one: in a salted run, unless it asks for one group.
func byRow(r *recorderv1.RecorderSpec) bool {
	return r.GetPrivacy() == recorderv1.Privacy_PRIVACY_SALTED && r.GetErasure() != recorderv1.ErasureScope_ERASURE_SCOPE_RUN
}

func (o *Owner) recorderSpec() *recorderv1.RecorderSpec {
	spec := &recorderv1.RecorderSpec{Method: run.Name(o.Run.GetSpec().GetAlgorithm())}
	if r := o.Run.GetSpec().GetRecorder(); r != nil {
		spec.Limits, spec.Disabled, spec.RewardRange, spec.Model = r.GetLimits(), r.GetDisabled(), r.RewardRange, r.GetModel()
		spec.NumIterations, spec.TruncatedSampling, spec.HackingStrict = r.NumIterations, r.GetTruncatedSampling(), r.GetHackingStrict()
		spec.Privacy, spec.Erasure = r.GetPrivacy(), r.GetErasure()
	}
	if kl := o.Run.GetSpec().GetHyper().GetObjective(); kl != nil && kl.Kl != nil {
		spec.KlCoefficient = kl.Kl
	}
	return spec
}

// recorded reads a range of events.
func (o *Owner) recorded(ctx context.Context, from, to uint64) ([]*recorderv1.Event, error) {
	var out []*recorderv1.Event
	req := &recorderv1.ListEventsRequest{Run: o.Run.GetUid(), FromSeq: from, ToSeq: to, PageSize: 1000}
	for {
		page, err := o.Peers.Recorder.ListEvents(ctx, req)
		if err != nil {
			return nil, err
		}
		out = append(out, page.GetEvents()...)
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return out, nil
		}
	}
}

// resumed notes a restart, in the log of what two equal runs do not share.
func (o *Owner) resumed(ctx context.Context) error {
	payload := fmt.Appendf(nil, `{"epoch":%d}`, o.grant.Epoch)
	_, err := o.Peers.Recorder.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: o.Run.GetUid(), Epoch: o.grant.Epoch, Log: recorderv1.Log_LOG_TIMING,
		Records: []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RESUME, Payload: payload}}})
	if err != nil {
		return fmt.Errorf("note the restart: %w", err)
	}
	return o.Board.Update(ctx, func(r *orchestratorv1.Run) { r.Progress.Resumes++ })
}

// state moves the run to a state and phase.
func (o *Owner) state(ctx context.Context, to run.State, phase string) error {
	var refused error
	err := o.Board.Update(ctx, func(r *orchestratorv1.Run) {
		if refused = run.Next(r.GetState(), to); refused == nil {
			r.State, r.Progress.Phase, r.Progress.Waiting = to, phase, ""
		}
	})
	if err == nil {
		err = refused
	}
	return err
}
