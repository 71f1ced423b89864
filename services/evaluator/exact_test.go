package evaluator

import (
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// The definition of exact_match with norm=plain, row by row.
func TestExactMatch(t *testing.T) {
	for _, c := range []struct {
		name, reference, prediction string
		want                        float64
		reason                      string
	}{
		{"equal", `"reference":"a"`, `"prediction":"a"`, 1, ""},
		{"unequal", `"reference":"a"`, `"prediction":"b"`, 0, ""},
		{"case counts", `"reference":"A"`, `"prediction":"a"`, 0, ""},
		{"Unicode space around", `"reference":"\u00a0a\u2003"`, `"prediction":"\na\t"`, 1, ""},
		{"space inside counts", `"reference":"a b"`, `"prediction":"a  b"`, 0, ""},
		{"code points, not looks", `"reference":"\u00e9"`, `"prediction":"e\u0301"`, 0, ""},
		{"both empty", `"reference":""`, `"prediction":""`, 1, ""},
		{"space and empty", `"reference":" "`, `"prediction":""`, 1, ""},
		{"an empty prediction is scored", `"reference":"a"`, `"prediction":""`, 0, ""},
		{"a number is its spelling", `"reference":1000000`, `"prediction":"1000000"`, 1, ""},
		{"a number that is spelled otherwise", `"reference":1.0`, `"prediction":"1"`, 0, ""},
		{"a large number", `"reference":12345678901234567890`, `"prediction":12345678901234567890`, 1, ""},
		{"a boolean", `"reference":true`, `"prediction":"true"`, 1, ""},
		{"one of several", `"references":["a","b"]`, `"prediction":"b"`, 1, ""},
		{"none of several", `"references":["a","b"]`, `"prediction":"c"`, 0, ""},
		{"a list under reference", `"reference":["a","b"]`, `"prediction":"b"`, 1, ""},
		{"both fields", `"reference":"a","references":["b"]`, `"prediction":"b"`, 1, ""},
		{"a list is not its text", `"reference":["a"]`, `"prediction":"[a]"`, 0, ""},
		{"no reference", `"x":1`, `"prediction":"a"`, 0, "no_reference"},
		{"null", `"reference":null`, `"prediction":""`, 0, "no_reference"},
		{"an empty list", `"references":[]`, `"prediction":""`, 0, "no_reference"},
		{"another field in another case", `"Reference":"a"`, `"prediction":"a"`, 0, "no_reference"},
		{"no prediction", `"reference":""`, `"x":1`, 0, "missing_prediction"},
		{"prediction is null", `"reference":""`, `"prediction":null`, 0, "missing_prediction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			one := 1.0
			e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(`{"id":"x","prompt":"p",` + c.reference + `}`),
				Predictions: r.ingest(`{"id":"x",` + c.prediction + `}`), Metrics: []string{"exact_match"}, MaxUnscored: &one})
			if err != nil {
				t.Fatal(err)
			}
			est := e.GetEstimates()[0]
			if c.reason == "" && (est.Value == nil || est.GetValue() != c.want || est.GetN() != 1) {
				t.Errorf("%v, want %v", est, c.want)
			}
			if c.reason != "" && (est.Value != nil || est.GetInterval() != nil || est.GetN() != 0 || est.GetUnscored() != 1) {
				t.Errorf("%v: what was not measured has no value", est)
			}
			if rows := r.rows(e); rows.GetRows()[0].GetReason() != c.reason || (rows.GetRows()[0].Value == nil) != (c.reason != "") {
				t.Errorf("%v", rows)
			}
		})
	}
}

func TestReferencesThatAreNoTexts(t *testing.T) {
	for _, bad := range []string{`"reference":{"a":1}`, `"references":"a"`, `"references":[["a"]]`, `"references":[null]`, `"references":{}`} {
		r := newRig(t)
		req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(`{"id":"x","prompt":"p=right",` + bad + `}`), Checkpoint: "run@last", Metrics: []string{"exact_match"}}
		if _, err := r.evaluate(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID) {
			t.Errorf("%s: %v", bad, err)
		}
		req.Metrics = []string{"verifier:math"} // which has its own idea of references
		if _, err := r.evaluate(req); err != nil {
			t.Errorf("%s, for a verifier: %v", bad, err)
		}
	}
}
