package orchestrator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/contrast"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// TrainControls makes the runs of every arm, one after the other, and compares what they gained. The runs are named by the request:
// when the stream breaks they go on, and the same request finds those that are there.
func (s *Service) TrainControls(req *orchestratorv1.TrainControlsRequest, out orchestratorv1.OrchestratorService_TrainControlsServer) error {
	if err := comparable(req); err != nil {
		return err
	}
	ctx := out.Context()
	t := &trial{Service: s, out: out, plan: contrast.NewPlan(req.GetSpec(), req.GetControls(), max(req.GetSeeds(), contrast.LeastSeeds)), id: req.GetRequestId()}
	if t.id == "" {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		t.id = "controls-" + hex.EncodeToString(sum[:16])
	}
	if err := s.known(ctx, req.GetSpec()); err != nil {
		return err
	}
	if slices.Contains(t.plan.Arms(), contrast.Shuffled) {
		var err error
		if t.shuffled, err = s.shuffle(ctx, req.GetSpec()); err != nil {
			return noControls(err)
		}
	}
	arms, err := t.train(ctx)
	if err != nil {
		return noControls(err)
	}
	margin := 0.1
	if req.Margin != nil {
		margin = req.GetMargin()
	}
	report, err := contrast.Decide(arms, margin)
	if err != nil {
		return noControls(err)
	}
	return out.Send(&orchestratorv1.TrainControlsResponse{Event: &orchestratorv1.TrainControlsResponse_Report{Report: controlReport(report, margin)}})
}

// comparable refuses before the first run what could not be compared after the last.
func comparable(req *orchestratorv1.TrainControlsRequest) error {
	spec := req.GetSpec()
	wrong := func(field, why string) error {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s: %s", field, why).Field("spec."+field, why)
	}
	var problem run.Problem
	switch err := run.Check(spec); {
	case errors.As(err, &problem):
		return wrong(problem.Field, problem.Why)
	case spec.GetEval() == nil:
		return wrong("eval", "held-out rows are needed: what a reward teaches is measured on them")
	case spec.GetAlgorithm() == trainerv1.Algorithm_ALGORITHM_SFT:
		return wrong("algorithm", "SFT has no reward")
	case spec.GetVerifier().GetName() == "control":
		return wrong("verifier", "is a control itself; name the reward in question")
	case req.GetSeeds() > 0 && req.GetSeeds() < contrast.LeastSeeds:
		return noControls(fmt.Errorf("%w: %d seeds, at least %d are needed", contrast.ErrNoControls, req.GetSeeds(), contrast.LeastSeeds))
	}
	return nil
}

// known asks the verifier whether it takes the specs: a slip would be found after the warm-ups, minutes later. The verdict on an
// empty answer is of no interest.
func (s *Service) known(ctx context.Context, spec *orchestratorv1.RunSpec) error {
	for _, v := range []*verifierv1.Spec{spec.GetVerifier(), spec.GetHeldoutVerifier()} {
		if v == nil {
			continue
		}
		_, err := s.d.Peers.Verifier.Verify(ctx, &verifierv1.VerifyRequest{Spec: v, Candidate: &verifierv1.Candidate{RolloutId: "spec", RowJson: []byte(`{"reference":"1"}`)}})
		if err != nil {
			return fmt.Errorf("verifier %s: %w", v.GetName(), err)
		}
	}
	return nil
}

func noControls(err error) error {
	if errors.Is(err, contrast.ErrNoControls) {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_NO_CONTROLS, "%w", err)
	}
	return err
}

// shuffle makes a dataset whose prompts ask for what other rows ask, in the store of datasets like any other.
func (s *Service) shuffle(ctx context.Context, spec *orchestratorv1.RunSpec) (*corev1.DatasetRef, error) {
	digest, err := blob.ParseDigest(spec.GetTrain().GetDigest())
	if err != nil {
		return nil, err
	}
	f, err := s.d.Blobs.Open(ctx, digest)
	if err != nil {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND, "dataset %s: %w", digest, err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", digest, err)
	}
	if data, err = contrast.Shuffle(data, spec.GetSeed()); err != nil {
		return nil, fmt.Errorf("shuffle dataset %s: %w", digest, err)
	}
	stream, err := s.d.Peers.Evaluator.IngestDataset(ctx)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(data, 1<<20) {
		m := &evaluatorv1.IngestDatasetRequest{Name: "shuffled", Format: corev1.DatasetFormat_DATASET_FORMAT_JSONL, Chunk: bytes.Clone(part)}
		if err := stream.Send(m); err == io.EOF {
			break // the answer has the reason
		} else if err != nil {
			return nil, err
		}
	}
	got, err := stream.CloseAndRecv()
	return got.GetDataset(), err
}
