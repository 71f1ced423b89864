package verifier

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// The rows of verifier.md section 7 for text verifiers, batches and specs. What is behind them in detail: text, math,
// compose, spec.

func TestBadInput(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{Blobs: blobsIn(t, t.TempDir())})
	exact, math := specFor(t, "exact_answer", nil), specFor(t, "math", nil)
	digits := strings.Repeat("1234567890", 40)
	boxes := strings.Repeat(`\boxed{7} so `, 49)
	for _, tt := range []struct {
		name     string
		spec     *verifierv1.Spec
		response string
		row      string
		want     string // reason; UPPER is unscored
		finding  string
	}{
		{"reference absent", math, "1", `{}`, "BAD_REFERENCE", ""},
		{"reference null", exact, "null", `{"reference":null}`, "BAD_REFERENCE", ""},
		{"reference empty", exact, "", `{"reference":""}`, "BAD_REFERENCE", ""},
		{"reference of blanks", math, " ", `{"reference":"  "}`, "BAD_REFERENCE", ""},
		{"references without one", math, "1", `{"references":[]}`, "BAD_REFERENCE", ""},
		{"reference that does not parse", math, `\frac{`, `{"reference":"\\frac{"}`, "BAD_REFERENCE", ""},
		{"reference over the limits", math, "1", `{"reference":"` + strings.Repeat("(", 30_000) + `"}`, "BAD_REFERENCE", ""},
		{"response empty", exact, "", `{"reference":"x"}`, "no_answer", ""},
		{"NUL in the response", exact, "a\x00b", `{"reference":"a\u0000b"}`, "equal", ""},
		{"invalid UTF-8 in the response", exact, "caf\xe9", `{"reference":"café"}`, "different", ""},
		{"half a surrogate in the row", exact, "x", `{"reference":"\ud800"}`, "different", ""},
		{"100,000 open brackets", math, strings.Repeat("(", 100_000), `{"reference":"1"}`, "no_answer", ""}, // no profile reads so long a text whole
		{"100,000 open brackets in a box", math, `\boxed{` + strings.Repeat("(", 100_000) + `}`, `{"reference":"1"}`, "limit_exceeded", ""},
		{"100,000 open braces of a box", math, `\boxed` + strings.Repeat("{", 100_000), `{"reference":"1"}`, "", ""},
		{"a 5,000-digit integer against 1", math, strings.Repeat("9", 5_000), `{"reference":"1"}`, "", ""},
		{"a 400-digit integer", math, digits, `{"reference":"` + digits + `"}`, "equal", ""},
		{"a 400-digit integer that is off by one", math, digits[:399] + "1", `{"reference":"` + digits + `"}`, "different", ""},
		{"an empty box after a full one", math, `\boxed{7} and \boxed{}`, `{"reference":"7"}`, "no_answer", ""},
		{"50 boxes, the last counts", math, boxes + `\boxed{8}`, `{"reference":"8"}`, "equal", "multiple_answers"},
		{"50 boxes, an earlier one is right", math, boxes + `\boxed{8}`, `{"reference":"7"}`, "different", "multiple_answers"},
		{"50 boxes of exact_answer", exact, boxes + `\boxed{8}`, `{"reference":"8"}`, "equal", "multiple_answers"},
		{"a row that is no object", exact, "1", `[1]`, "BAD_ROW", ""},
		{"a row with a key twice", exact, "1", `{"reference":"1","reference":"2"}`, "BAD_ROW", ""},
		{"a row with NaN", exact, "1", `{"reference":NaN}`, "BAD_ROW", ""},
		{"a row nested deeply", exact, "1", `{"reference":"1","x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "BAD_ROW", ""},
		{"regex over a response of NULs", specFor(t, "regex", map[string]any{"pattern": "a+"}), strings.Repeat("\x00", 10_000), `{}`, "no_match", ""},
		{"contains in invalid UTF-8", specFor(t, "contains", map[string]any{"required": []any{"a"}}), "\xff\xfe", `{}`, "missing", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: tt.spec,
				Candidate: &verifierv1.Candidate{RolloutId: "a", Response: []byte(tt.response), RowJson: []byte(tt.row)}})
			if err != nil {
				t.Fatal(err)
			}
			v := got.GetVerdict()
			reason := v.GetReason()
			if u := v.GetUnscored(); u != nil {
				reason = strings.TrimPrefix(u.GetReason().String(), "UNSCORED_REASON_")
			}
			if tt.want != "" && reason != tt.want {
				t.Errorf("%s, want %s: %.300v", reason, tt.want, v)
			}
			if v.GetScored().GetPassed() != (tt.want == "equal") {
				t.Errorf("passed %v: %.300v", v.GetScored().GetPassed(), v)
			}
			if u := v.GetUnscored(); u != nil && v.GetReason() != "" {
				t.Errorf("an unscored verdict has a reason of a score: %.300v", v)
			}
			if !utf8.ValidString(v.GetExtracted()) || len(v.GetExtracted()) > 4096 {
				t.Errorf("extracted %q", v.GetExtracted())
			}
			found := tt.finding == ""
			for _, f := range v.GetFindings() {
				found = found || f.GetKind() == tt.finding
			}
			if !found || len(v.GetEvidenceDigest()) != 32 {
				t.Errorf("findings %v, evidence %x", v.GetFindings(), v.GetEvidenceDigest())
			}
		})
	}
}

// What cannot be meant is refused when it is named, not paid later.
func TestBadSpecsAreRefusedWhenTheyAreNamed(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	composite := func(options map[string]any, weights ...float64) *verifierv1.Spec {
		s := specFor(t, "composite", options)
		for _, w := range weights {
			s.Members = append(s.Members, &verifierv1.Spec{Name: "math", Weight: proto.Float64(w)})
		}
		return s
	}
	for _, tt := range []struct {
		name string
		spec *verifierv1.Spec
		says string
	}{
		{"unknown", specFor(t, "exact_anwser", nil), "exact_answer"},
		{"unknown option", specFor(t, "math", map[string]any{"profil": "whole"}), "profile"},
		{"unknown value", specFor(t, "math", map[string]any{"profile": "lastboxed"}), "last_boxed"},
		{"value of another type", specFor(t, "math", map[string]any{"float_rounding": "six"}), "float_rounding"},
		{"negative tolerance", specFor(t, "math", map[string]any{"tolerance": -0.1}), "tolerance"},
		{"weight -1", composite(nil, 1, -1), "weight"},
		{"weight NaN", composite(nil, 1, math.NaN()), "weight"},
		{"weight infinite", composite(nil, math.Inf(1)), "weight"},
		{"weights of sum 0", composite(map[string]any{"mode": "weighted"}, 0, 0), "weight"},
		{"threshold 2", composite(map[string]any{"mode": "weighted", "threshold": 2.0}, 1), "threshold"},
		{"threshold NaN", composite(map[string]any{"mode": "weighted", "threshold": math.NaN()}, 1), "threshold"},
		{"no members", composite(nil), "members"},
		{"an empty needle", specFor(t, "contains", map[string]any{"required": []any{""}}), "required"},
		{"no needle", specFor(t, "contains", nil), "required"},
		{"no pattern", specFor(t, "regex", nil), "pattern"},
		{"a pattern that is none", specFor(t, "regex", map[string]any{"pattern": "(?<"}), "pattern"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Verify(t.Context(), &verifierv1.VerifyRequest{Spec: tt.spec, Candidate: &verifierv1.Candidate{RolloutId: "a"}})
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
}

// A caller that sends the same rollouts again after its stream broke gets the verdicts that it missed.
func TestAResendGetsTheStoredVerdicts(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{Blobs: blobsIn(t, t.TempDir())})
	list := [][]byte{rollout(t, "a", "72", "72"), rollout(t, "b", "71", "72")}
	first := pumped(t, c, "run", list...)
	again := pumped(t, c, "run", list[1], list[0])
	if !proto.Equal(first[0], again[1]) || !proto.Equal(first[1], again[0]) {
		t.Errorf("%v\n%v", first, again)
	}
	if first[0].GetScored() == nil || first[1].GetVerdict() == (&corev1.Verdict{}).GetVerdict() {
		t.Errorf("%v", first)
	}
}
