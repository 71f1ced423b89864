package evaluator

import (
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/stat"
)

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
