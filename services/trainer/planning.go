package trainer

import (
	"context"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/plan"
	"github.com/provenir/provenir/services/trainer/runner"
)

// PlanTraining fills in and selects, reads the rows, and starts nothing: a row of a later stage that does not fit is found
// now and not after the stages before it. Memory and rates that nobody measured are absent.
func (s *Service) PlanTraining(ctx context.Context, req *trainerv1.PlanTrainingRequest) (*trainerv1.PlanTrainingResponse, error) {
	b, rejected, err := s.choose(req.GetSpec())
	if err != nil {
		return nil, problem(err)
	}
	p, err := plan.Make(req.GetSpec(), b.Name)
	if err != nil {
		return nil, problem(err)
	}
	// What is missing on this machine is said before anybody spends minutes on judging every row of a dataset.
	if _, _, err := b.Probe(ctx); err != nil {
		return nil, problem(err)
	}
	if err := s.checkRows(ctx, b, p); err != nil {
		return nil, problem(err)
	}
	return &trainerv1.PlanTrainingResponse{Engine: b.Name, Effective: p.Spec, Rejected: rejected}, nil
}

// checkRows does what the stage will do with its rows first. A plan without a dataset or without a model has nothing to
// check: it asks what would run, not whether this does.
func (s *Service) checkRows(ctx context.Context, b Backend, p plan.Plan) error {
	if len(p.Spec.GetDataset().GetDigest()) == 0 || p.Spec.GetModel() == nil {
		return nil
	}
	data, err := s.rows(ctx, p.Spec.GetDataset())
	if err != nil {
		return err
	}
	o, err := s.opening(ctx, p.Spec, nil)
	if err != nil {
		return err
	}
	tok, room, err := reads(ctx, b, o)
	if err != nil {
		return err
	}
	return runner.CheckRows(tok, room, p, data)
}

func reads(ctx context.Context, b Backend, o Open) (engine.Tokenizer, int, error) {
	if b.Reads != nil {
		return b.Reads(ctx, o)
	}
	e, err := b.Open(ctx, o)
	if err != nil {
		return nil, 0, err
	}
	return e.Tokenizer(), e.Info().Context, e.Close()
}
