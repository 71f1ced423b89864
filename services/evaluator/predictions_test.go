package evaluator

import (
	"slices"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
)

func TestPredictionsAreJoined(t *testing.T) {
	rows := []string{`{"id":"a","prompt":"p","reference":"1"}`, `{"id":"b","prompt":"p","reference":"2"}`, `{"id":"c","prompt":"p","reference":"3"}`}
	without := []string{`{"prompt":"p","reference":"1"}`, `{"prompt":"p","reference":"2"}`}
	for _, c := range []struct {
		name        string
		rows, given []string
		limit       uint64
		want        string // values in row order, - for unscored; or what the error says
		ok          bool
	}{
		{"by id in any order", rows, []string{`{"id":"c","prediction":"3"}`, `{"id":"a","prediction":"x"}`, `{"id":"b","prediction":"2"}`}, 0, "0 1 1", true},
		{"a missing one is unscored", rows, []string{`{"id":"c","prediction":"3"}`, `{"id":"b","prediction":""}`}, 0, "- 0 1", true},
		{"by position", rows, []string{`{"prediction":"1"}`, `{"prediction":"1"}`, `{"prediction":"3"}`}, 0, "1 0 1", true},
		{"by position, rows without ids", without, []string{`{"prediction":"1"}`, `{"x":1}`}, 0, "1 -", true},
		{"too few by position", rows, []string{`{"prediction":"1"}`}, 0, "prediction count 1, dataset rows 3", false},
		{"too many by position", without, slices.Repeat([]string{`{"prediction":"1"}`}, 3), 0, "prediction count 3, dataset rows 2", false},
		{"more by position, with a limit", rows, slices.Repeat([]string{`{"prediction":"1"}`}, 3), 2, "1 0", true},
		{"an id of no row", rows, []string{`{"id":"a","prediction":"1"}`, `{"id":"z","prediction":"1"}`}, 0, `"z"`, false},
		{"an id behind the limit", rows, []string{`{"id":"a","prediction":"1"}`, `{"id":"c","prediction":"1"}`}, 1, "1", true},
		{"an id twice", rows, []string{`{"id":"a","prediction":"1"}`, `{"id":"a","prediction":"2"}`}, 0, "once", false},
		{"only some have ids", rows, []string{`{"id":"a","prediction":"1"}`, `{"prediction":"2"}`}, 0, "once", false},
		{"two rows of one id", []string{rows[0], rows[0]}, []string{`{"id":"a","prediction":"1"}`}, 0, "rows 1 and 2", false},
		{"a prediction that is no text", rows, []string{`{"id":"a","prediction":["1"]}`}, 0, "row 1", false},
		{"a line that is no row", rows, []string{`{"id":"a","prediction":"1"}`, `x`}, 0, "row 2", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			one := 1.0
			e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(c.rows...), Predictions: r.ingest(c.given...), Limit: c.limit,
				Metrics: []string{"exact_match"}, MaxUnscored: &one})
			if !c.ok {
				if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range r.rows(e).GetRows() {
				switch {
				case row.Value == nil:
					got = append(got, "-")
				case row.GetValue() == 1:
					got = append(got, "1")
				default:
					got = append(got, "0")
				}
			}
			if strings.Join(got, " ") != c.want || len(e.GetCheckpoint()) != 0 {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A verifier must not judge an answer that nobody gave: it might pass "".
func TestMissingPredictionsAreNotJudged(t *testing.T) {
	r := newRig(t)
	one := 1.0
	req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("", "")...), Predictions: r.ingest(`{"id":"qb","prediction":"right"}`),
		Metrics: []string{"verifier:math"}, MaxUnscored: &one}
	e, err := r.evaluate(req)
	if err != nil || e.GetEstimates()[0].GetN() != 1 || e.GetEstimates()[0].GetUnscored() != 1 || !slices.Equal(r.verifier.judged, []string{"qb"}) {
		t.Errorf("%v, %v; judged %q", e, err, r.verifier.judged)
	}
	req.Predictions = r.ingest(`{"id":"qb","prediction":null}`)
	if e, err := r.evaluate(req); err != nil || e.GetEstimates()[0].Value != nil || e.GetEstimates()[0].GetUnscored() != 2 {
		t.Errorf("%v, %v", e, err)
	}
}
