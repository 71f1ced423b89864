package evaluator

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/dataset"
)

// prediction is one given answer.
type prediction struct {
	id      string
	text    string
	missing bool // the row has no prediction, or null
}

// predictions joins given answers with the rows: by id, or by position where no prediction has one. A row without a
// prediction is unscored.
func (s *Service) predictions(ctx context.Context, req *evaluatorv1.EvaluateRequest, questions []question) error {
	given, err := s.given(ctx, req.GetPredictions())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(given, func(p prediction) bool { return p.id != "" }) {
		return byPosition(given, questions, req.GetLimit() > 0)
	}
	return byID(given, questions, req.GetLimit() > 0)
}

func (s *Service) given(ctx context.Context, ref *corev1.DatasetRef) ([]prediction, error) {
	f, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []prediction
	return out, rows(f, func(r dataset.Row) error {
		text, ok, err := r.Text("prediction")
		if err != nil {
			return invalidRow(r.Line, "of the predictions: "+err.Error())
		}
		out = append(out, prediction{r.ID, text, !ok})
		return nil
	})
}

func byPosition(given []prediction, questions []question, limited bool) error {
	if len(given) < len(questions) || len(given) > len(questions) && !limited {
		return unjoined("prediction count %d, dataset rows %d; give ids, or one prediction a row", len(given), len(questions))
	}
	for i := range questions {
		questions[i].answer, questions[i].missing = []byte(given[i].text), given[i].missing
	}
	return nil
}

func byID(given []prediction, questions []question, limited bool) error {
	rows := make(map[string]int, len(questions))
	for i, q := range questions {
		if first, twice := rows[q.id]; twice {
			return unjoined("rows %d and %d of the dataset have the id %q; a prediction would be of both", questions[first].line, q.line, q.id)
		}
		rows[q.id] = i
		questions[i].missing = true
	}
	taken := make(map[string]bool, len(given))
	var foreign []string
	for i, p := range given {
		at, ok := rows[p.id]
		switch {
		case p.id == "" || taken[p.id]:
			return unjoined("prediction %d: predictions need an id each, once", i+1)
		case ok:
			questions[at].answer, questions[at].missing = []byte(p.text), p.missing
		default:
			foreign = append(foreign, p.id)
		}
		taken[p.id] = true
	}
	if len(foreign) > 0 && !limited {
		return unjoined("%d predictions, %d rows; %d predictions are of no row, such as %q", len(given), len(questions), len(foreign), foreign[:min(5, len(foreign))])
	}
	return nil
}

func unjoined(format string, args ...any) error {
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "%s", fmt.Sprintf(format, args...))
}
