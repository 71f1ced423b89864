package recorder

import (
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// compared sends messages one after the other, each after the answer to the one before it.
func (r *rig) compared(messages ...*recorderv1.CheckMismatchRequest) ([]*recorderv1.MismatchResult, *recorderv1.MismatchSummary, error) {
	r.t.Helper()
	s, err := r.client.CheckMismatch(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []*recorderv1.MismatchResult
	for _, m := range messages {
		if err := s.Send(m); err != nil && !errors.Is(err, io.EOF) {
			r.t.Fatal(err)
		}
		got, err := s.Recv()
		if err != nil {
			return out, nil, err
		}
		out = append(out, got.GetResults()...)
	}
	if err := s.CloseSend(); err != nil {
		r.t.Fatal(err)
	}
	last, err := s.Recv()
	if err != nil {
		return out, nil, err
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		r.t.Errorf("behind the summary comes %v", err)
	}
	return out, last.GetSummary(), nil
}

func row(id string, train, rollout []float64) *recorderv1.MismatchRow {
	return &recorderv1.MismatchRow{Id: id, TrainLogProbs: train, InferenceLogProbs: rollout}
}

func TestCheckMismatch(t *testing.T) {
	r := newRig(t).start()
	limit := 0.05
	probe := row("f", []float64{-1, -2, -0.5}, []float64{-1, -2, -0.5})
	probe.Sampled = "probe"
	got, sum, err := r.compared(
		&recorderv1.CheckMismatchRequest{Threshold: &limit, Rows: []*recorderv1.MismatchRow{
			row("a", []float64{-0.6, -1, -0.1}, []float64{-0.5, -1, -0.2}),
			row("b", []float64{-1}, []float64{-1, -2}),
			row("c", []float64{math.NaN(), -1}, []float64{-1, -1}),
		}},
		&recorderv1.CheckMismatchRequest{Rows: []*recorderv1.MismatchRow{row("d", []float64{-0.1, -0.1}, []float64{-900, -0.1}), row("e", nil, nil), probe}},
	)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		bad, refused bool
		reason       string
	}{{bad: true, reason: "mean_abs"}, {refused: true}, {refused: true}, {bad: true, reason: "k3"}, {refused: true}, {}} {
		x := got[i]
		if x.GetMismatched() != want.bad || (x.GetError() != "") != want.refused || want.reason != "" && !slices.Contains(x.GetReasons(), want.reason) {
			t.Errorf("row %s: %v", x.GetId(), x)
		}
	}
	if s := got[3].GetStats(); s.K3 != nil || !slices.Contains(s.GetOverflow(), "k3") || !slices.Contains(s.GetOverflow(), "ess") || s.K1 == nil || s.Pearson != nil {
		t.Errorf("a weight of e^900: %v", s)
	}
	if got[2].GetStats().GetNonFinite() != 1 {
		t.Errorf("non-finite: %v", got[2])
	}
	if sum.GetRows() != 3 || sum.GetErrors() != 3 || sum.GetMismatched() != 2 || sum.GetEstimates() != "divergence" || sum.GetPooled().GetNonFinite() != 1 ||
		!math.IsInf(sum.GetQuantiles()["k3"].GetMax(), 1) || sum.GetQuantiles()["k3"].GetP50() > 0.01 || len(sum.GetQuantiles()) != 4 {
		t.Errorf("summary %v", sum)
	}
}

func TestMismatchRefused(t *testing.T) {
	r := newRig(t).start()
	fine, nan, limit := row("a", []float64{-1}, []float64{-1}), math.NaN(), 0.2
	for name, messages := range map[string][]*recorderv1.CheckMismatchRequest{
		"nothing":          {{}},
		"NaN":              {{Threshold: &nan}},
		"a late threshold": {{Rows: []*recorderv1.MismatchRow{fine}}, {Threshold: &limit}},
	} {
		if _, _, err := r.compared(messages...); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, sum, err := r.compared(); err != nil || sum.GetRows() != 0 || sum.GetRateHigh() != 1 || sum.GetEstimates() != "" || len(sum.GetQuantiles()) != 0 {
		t.Errorf("no rows: %v, %v", sum, err)
	}
}
