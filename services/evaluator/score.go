package evaluator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func (s *Service) outcomes(ctx context.Context, m metric, questions []question) ([]outcome, error) {
	if m.verifier != nil {
		return s.verify(ctx, m.verifier, questions)
	}
	out := make([]outcome, len(questions))
	for i, q := range questions {
		if q.missing {
			out[i].reason = "no_prediction"
			continue
		}
		var row struct{ Reference, References any }
		if err := json.Unmarshal(q.raw, &row); err != nil {
			return nil, err // the row was read before
		}
		if row.Reference == nil {
			out[i].reason = "no_reference"
			continue
		}
		out[i].passed = strings.TrimSpace(string(q.answer)) == strings.TrimSpace(fmt.Sprint(row.Reference))
	}
	return out, nil
}

// verify sends every row to the verifier and takes its verdicts in order.
func (s *Service) verify(ctx context.Context, spec *verifierv1.Spec, questions []question) ([]outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.d.Verifier.VerifyBatch(ctx)
	if err != nil {
		return nil, err
	}
	sent := make(chan error, 1)
	go func() {
		for i, q := range questions {
			m := &verifierv1.VerifyBatchRequest{Row: &verifierv1.Candidate{RolloutId: q.id, Response: q.answer, RowJson: q.raw}}
			if i == 0 {
				m.Spec = spec
			}
			if err := stream.Send(m); err != nil {
				sent <- nil // the receiver has the reason
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	out := make([]outcome, len(questions))
	for i := range questions {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the verifier answered %d of %d rows", i, len(questions))
		}
		if err != nil {
			return nil, fmt.Errorf("score the held-out set: %w", err)
		}
		switch v := m.GetVerdict(); {
		case questions[i].missing:
			out[i].reason = "no_prediction"
		case m.GetError() != nil:
			out[i].reason = m.GetError().GetCode()
		case v.GetScored() != nil:
			out[i].passed = v.GetScored().GetPassed()
		default:
			out[i].reason = strings.ToLower(strings.TrimPrefix(v.GetUnscored().GetReason().String(), "UNSCORED_REASON_"))
		}
	}
	return out, <-sent
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

// paired compares rows that both evaluations scored, joined by position and id.
func paired(m metric, now, base *evaluatorv1.EvaluationRows, digest []byte, level float64) (*evaluatorv1.PairedTest, error) {
	if len(now.GetRows()) != len(base.GetRows()) {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"the baseline has %d rows, this evaluation %d", len(base.GetRows()), len(now.GetRows()))
	}
	var x stat.Paired
	for i, r := range now.GetRows() {
		b := base.GetRows()[i]
		if b.GetId() != r.GetId() {
			return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "row %d is %s here and %s in the baseline", i, r.GetId(), b.GetId())
		}
		if r.Value == nil || b.Value == nil {
			continue
		}
		switch after, before := r.GetValue() == 1, b.GetValue() == 1; {
		case after && before:
			x.Both++
		case after:
			x.Better++
		case before:
			x.Worse++
		default:
			x.Neither++
		}
	}
	out := &evaluatorv1.PairedTest{Better: x.Better, Worse: x.Worse, Baseline: digest,
		Difference: &evaluatorv1.Estimate{Metric: m.name, Definition: "paired_difference/v1", N: x.Both + x.Better + x.Worse + x.Neither}}
	if out.GetDifference().GetN() == 0 {
		return out, nil
	}
	d, interval, err := x.Difference(level)
	if err != nil {
		return nil, err
	}
	out.Difference.Value = &d
	out.Difference.Interval = &evaluatorv1.Interval{Low: interval.Low, High: interval.High, Level: level, Method: evaluatorv1.IntervalMethod_INTERVAL_METHOD_NEWCOMBE}
	if p, ok := x.McNemar(); ok {
		out.PValue = &p
	}
	return out, nil
}
