package trainer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/plan"
	"github.com/provenir/provenir/services/trainer/rows"
	"github.com/provenir/provenir/services/trainer/runner"
)

// stream is the live stream of a run.
type stream struct {
	epoch  uint64
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// Train runs one stage. One stream a run: a new one of the same or a higher epoch replaces the old, which ends with
// STREAM_REPLACED and takes no further step; the new one goes on from the last whole snapshot.
func (s *Service) Train(g trainerv1.TrainerService_TrainServer) error {
	first, err := g.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil || first.GetSeq() != 1 {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "the first frame must be start with seq 1")
	}
	if _, ok := idgen.Bytes(start.GetRunId()); !ok {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "run_id %q is no run's uid", start.GetRunId())
	}
	if err := validStart(start); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(g.Context())
	defer cancel(nil)
	me, err := s.enter(ctx, start.GetRunId(), first.GetEpoch(), cancel)
	if err != nil {
		return problem(err)
	}
	defer s.leave(start.GetRunId(), me)
	job, err := s.job(ctx, start)
	if err == nil {
		l := newLink(g, first.GetEpoch(), start.GetCredit().GetBytes())
		err = errors.Join(drive(ctx, cancel, job, l), job.Engine.Close())
	}
	if replaced := context.Cause(ctx); rpc.Is(replaced, corev1.ErrorReason_ERROR_REASON_STREAM_REPLACED) {
		return replaced
	}
	return problem(err)
}

// drive runs the job beside the receiver of frames; whichever ends first ends the other.
func drive(ctx context.Context, cancel context.CancelCauseFunc, job runner.Job, l *link) error {
	ended := errors.New("the stage has ended")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := job.Run(ctx, l); err != nil {
			return err
		}
		return ended
	})
	received := make(chan error, 1)
	go func() { received <- l.receive() }() // ends with the stream, which ends when Train returns
	group.Go(func() error {
		select {
		case err := <-received:
			cancel(err)
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err := group.Wait(); !errors.Is(err, ended) {
		return err
	}
	return nil
}

// enter passes the fence and ends the run's older stream. It returns when that one has stopped touching the run.
func (s *Service) enter(ctx context.Context, run string, epoch uint64, cancel context.CancelCauseFunc) (*stream, error) {
	if err := s.fence.Enter(ctx, run, epoch); err != nil {
		return nil, err
	}
	me := &stream{epoch: epoch, cancel: cancel, done: make(chan struct{})}
	for {
		s.mu.Lock()
		old := s.streams[run]
		if old == nil {
			s.streams[run] = me
			s.mu.Unlock()
			return me, nil
		}
		if old.epoch > epoch {
			s.mu.Unlock()
			return nil, rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "run %s has an owner of epoch %d", run, old.epoch)
		}
		s.mu.Unlock()
		old.cancel(rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_STREAM_REPLACED, "a newer stream of run %s took over", run))
		select {
		case <-old.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (s *Service) leave(run string, me *stream) {
	s.mu.Lock()
	if s.streams[run] == me {
		delete(s.streams, run)
	}
	s.mu.Unlock()
	close(me.done)
}

// job opens everything that a stage needs.
func (s *Service) job(ctx context.Context, start *trainerv1.Start) (runner.Job, error) {
	backend, _, err := s.choose(start.GetSpec())
	if err != nil {
		return runner.Job{}, err
	}
	p, err := plan.Make(start.GetSpec(), backend.Name)
	if err != nil {
		return runner.Job{}, err
	}
	data, err := s.rows(ctx, p.Spec.GetDataset())
	if err != nil {
		return runner.Job{}, err
	}
	snaps, err := checkpoint.OpenSnapshots(filepath.Join(s.cfg.Dir, start.GetRunId()))
	if err != nil {
		return runner.Job{}, err
	}
	e, err := s.open(ctx, backend, p.Spec, start.GetBase())
	if err != nil {
		return runner.Job{}, err
	}
	return runner.Job{Start: start, Plan: p, Engine: e, Rows: data, Checkpoints: s.checkpoints, Snapshots: snaps,
		Clock: s.d.Clock, Fault: s.d.Fault, Log: s.d.Log, Env: s.d.Env}, nil
}

// open gives an engine with the stage's starting weights.
func (s *Service) open(ctx context.Context, b Backend, spec *trainerv1.TrainSpec, base []byte) (engine.Engine, error) {
	o, err := s.opening(ctx, spec, base)
	if err != nil {
		return nil, err
	}
	return b.Open(ctx, o)
}

// opening says what to open: fresh weights, those in a folder, or the checkpoint that ended the stage before.
func (s *Service) opening(ctx context.Context, spec *trainerv1.TrainSpec, base []byte) (Open, error) {
	o := Open{Peft: spec.GetPeft(), Seed: spec.GetSeed(), Threads: int(spec.GetThreads()), Device: spec.GetDevice()}
	model := spec.GetModel()
	name := model.GetCheckpoint()
	if len(base) > 0 {
		name = hex.EncodeToString(base)
	}
	switch {
	case name != "":
		folder, err := s.folder(ctx, name)
		if err != nil {
			return o, err
		}
		o.Folder = checkpoint.WithoutOptimizer(folder)
	case model.GetFolder() != nil:
		o.Folder = checkpoint.Folder(s.d.Blobs, model.GetFolder().GetFiles())
	case model == nil:
		return o, &engine.Error{Reason: "INVALID_ARGUMENT", Detail: "model: the first stage needs one"}
	default:
		o.Model = model
	}
	return o, nil
}

func (s *Service) folder(ctx context.Context, name string) (fs.FS, error) {
	c, err := s.checkpoints.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.checkpoints.Open(c)
}

// rows reads the stage's data from the blob store.
func (s *Service) rows(ctx context.Context, ref *corev1.DatasetRef) ([]rows.Row, error) {
	d, err := blob.ParseDigest(ref.GetDigest())
	if err != nil {
		return nil, &engine.Error{Reason: "INVALID_ARGUMENT", Detail: "dataset: " + err.Error()}
	}
	f, err := s.d.Blobs.Open(ctx, d)
	if errors.Is(err, blob.ErrMissing) {
		return nil, &engine.Error{Reason: "DATASET_NOT_FOUND", Detail: fmt.Sprintf("dataset %s is not in the blob store; ingest it first", d)}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := rows.Read(f)
	if err != nil {
		return nil, &engine.Error{Reason: "DATASET_INVALID", Detail: d.String(), Err: err}
	}
	return out, nil
}
