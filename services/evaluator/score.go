package evaluator

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/stat"
)

// metric is what to measure; verifier is nil for exact_match.
type metric struct {
	name       string
	definition string
	verifier   *verifierv1.Spec
}

func parseMetrics(req *evaluatorv1.EvaluateRequest) ([]metric, error) {
	var out []metric
	for _, name := range req.GetMetrics() {
		spec, isVerifier := strings.CutPrefix(name, "verifier:")
		switch {
		case name == "exact_match":
			out = append(out, metric{name: name, definition: "exact_match/v1;norm=plain"})
		case name == "verifier" && req.GetVerifier() != nil:
			out = append(out, metric{name: "verifier:" + req.GetVerifier().GetName(), definition: "pass_rate/v1", verifier: req.GetVerifier()})
		case isVerifier && spec != "" && !strings.Contains(spec, ":"):
			out = append(out, metric{name: name, definition: "pass_rate/v1", verifier: &verifierv1.Spec{Name: spec}})
		default:
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_METRIC_UNKNOWN,
				"%q is no metric here; there are exact_match, verifier:NAME, and verifier with the field verifier", name).Field("metrics", name)
		}
	}
	return out, nil
}

// outcome of one row: value, or why there is none.
type outcome struct {
	passed bool
	reason string // of an unscored row
}

// score fills the evaluation: estimates with Wilson intervals, rows, and paired tests of the first metric.
func (s *Service) score(ctx context.Context, req *evaluatorv1.EvaluateRequest, metrics []metric, questions []question, e *evaluatorv1.Evaluation) error {
	level := .95
	if req.Level != nil {
		level = req.GetLevel()
	}
	for i, m := range metrics {
		outcomes, err := s.outcomes(ctx, m, questions)
		if err != nil {
			return err
		}
		est, err := estimate(m, outcomes, level)
		if err != nil {
			return err
		}
		if share := float64(est.GetUnscored()) / float64(len(questions)); share > req.GetMaxUnscored() {
			return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_TOO_MANY_UNSCORED,
				"%s: %d of %d rows are unscored (%s); raise max_unscored to accept that", m.name, est.GetUnscored(), len(questions), firstReason(outcomes))
		}
		e.Estimates = append(e.Estimates, est)
		if i > 0 {
			continue
		}
		rows := rowsOf(questions, outcomes)
		if e.RowsDigest, err = s.store(ctx, rows); err != nil {
			return err
		}
		for _, b := range req.GetBaselines() {
			base, err := s.baseline(ctx, b)
			if err != nil {
				return err
			}
			test, err := paired(m, rows, base, b, level)
			if err != nil {
				return err
			}
			e.Tests = append(e.Tests, test)
		}
	}
	return nil
}

func firstReason(all []outcome) string {
	for _, o := range all {
		if o.reason != "" {
			return o.reason
		}
	}
	return ""
}

func estimate(m metric, all []outcome, level float64) (*evaluatorv1.Estimate, error) {
	e := &evaluatorv1.Estimate{Metric: m.name, Definition: m.definition}
	var passed uint64
	for _, o := range all {
		switch {
		case o.reason != "":
			e.Unscored++
		case o.passed:
			passed++
			e.N++
		default:
			e.N++
		}
	}
	if e.GetN() == 0 {
		return e, nil // nothing scored: no value
	}
	w, err := stat.Wilson(passed, e.GetN(), level)
	if err != nil {
		return nil, err
	}
	value := float64(passed) / float64(e.GetN())
	e.Value = &value
	e.Interval = &evaluatorv1.Interval{Low: w.Low, High: w.High, Level: level, Method: evaluatorv1.IntervalMethod_INTERVAL_METHOD_WILSON}
	return e, nil
}

const capResponse = 4096

func rowsOf(questions []question, all []outcome) *evaluatorv1.EvaluationRows {
	out := &evaluatorv1.EvaluationRows{}
	for i, q := range questions {
		r := &evaluatorv1.RowOutcome{Row: uint64(i), Id: q.id, Reason: all[i].reason, Response: q.answer[:min(len(q.answer), capResponse)]}
		if all[i].reason == "" {
			v := 0.0
			if all[i].passed {
				v = 1
			}
			r.Value = &v
		}
		out.Rows = append(out.Rows, r)
	}
	return out
}
