package loop

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// check finds before the first step what would otherwise be found after step 400: rows that cannot be read, references
// that the verifier cannot parse, rows that train and eval share. Data is named by content and cannot change under a run,
// so a restart does not judge the references again.
func (o *Owner) check(ctx context.Context) (dataset, error) {
	spec := o.Run.GetSpec()
	for _, s := range o.stages {
		use := evaluatorv1.DatasetUse_DATASET_USE_SFT
		if s.RL {
			use = evaluatorv1.DatasetUse_DATASET_USE_RL
		}
		found, err := o.validate(ctx, s.Spec.GetDataset(), use)
		if err != nil {
			return dataset{}, fmt.Errorf("dataset of the %s stage: %w", s.Name, err)
		}
		if _, begun, err := o.Journal.Stage(ctx, o.Run.GetUid(), 0); err != nil {
			return dataset{}, err
		} else if s.RL && !begun && spec.GetVerifier().GetName() != "control" { // a control knows of no task that could hold
			if err := o.checkTasks(ctx, s.Spec.GetDataset(), found.GetRows()); err != nil {
				return dataset{}, fmt.Errorf("dataset of the %s stage: %w", s.Name, err)
			}
		}
	}
	if spec.GetEval() == nil {
		return dataset{}, nil
	}
	var others []*corev1.DatasetRef
	for _, s := range o.stages {
		others = append(others, s.Spec.GetDataset())
	}
	found, err := o.validate(ctx, spec.GetEval(), evaluatorv1.DatasetUse_DATASET_USE_EVAL, others...)
	if err != nil {
		return dataset{}, fmt.Errorf("eval dataset: %w", err)
	}
	var shared uint64
	for _, x := range found.GetShared() {
		shared = max(shared, x.GetRows())
	}
	if shared > 0 && !spec.GetLimits().GetAllowContaminated() {
		return dataset{}, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_DATASETS_OVERLAP,
			"%d rows of the eval set are in the training set: held-out accuracy would not be held out; remove them, or allow it with --allow-contaminated", shared)
	}
	return dataset{shared: &shared}, nil
}

func (o *Owner) validate(ctx context.Context, d *corev1.DatasetRef, use evaluatorv1.DatasetUse, disjoint ...*corev1.DatasetRef) (*evaluatorv1.ValidateDatasetResponse, error) {
	found, err := o.Peers.Evaluator.ValidateDataset(ctx, &evaluatorv1.ValidateDatasetRequest{Dataset: d, Use: use, DisjointFrom: disjoint})
	if err != nil {
		return nil, err
	}
	if n := found.GetProblemCount(); n > 0 {
		var lines []string
		for _, p := range found.GetProblems() {
			lines = append(lines, fmt.Sprintf("row %d: %s: %s", p.GetRow(), p.GetKind(), p.GetDetail()))
		}
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID,
			"%d problems in %d rows: %s", n, found.GetRows(), strings.Join(lines, "; "))
	}
	if found.GetRows() == 0 {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "the dataset has no rows")
	}
	return found, nil
}
