package verifier

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// batch sends rows and reads the answers.
func batch(t testing.TB, c verifierv1.VerifierServiceClient, rows ...*verifierv1.VerifyBatchRequest) ([]*verifierv1.VerifyBatchResponse, error) {
	t.Helper()
	stream, err := c.VerifyBatch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, r := range rows {
			if stream.Send(r) != nil {
				return // Recv has the reason
			}
		}
		_ = stream.CloseSend()
	}()
	var out []*verifierv1.VerifyBatchResponse
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
}

func row(id, response, json string) *verifierv1.VerifyBatchRequest {
	return &verifierv1.VerifyBatchRequest{Row: &verifierv1.Candidate{RolloutId: id, Response: []byte(response), RowJson: []byte(json)}}
}

func TestBatchKeepsTheOrder(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	var rows []*verifierv1.VerifyBatchRequest
	for i := range 1000 {
		response := fmt.Sprint(i % 3)
		if i%7 == 0 { // some take longer
			response = `$\sin^2 x+\cos^2 x-1+` + response + `$`
		}
		rows = append(rows, row(fmt.Sprintf("row-%d", i), response, `{"reference":"1"}`))
	}
	rows[0].Spec = specFor(t, "math", nil)
	got, err := batch(t, c, rows...)
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	for i, m := range got {
		if m.GetId() != fmt.Sprintf("row-%d", i) || m.GetVerdict().GetScored().GetPassed() != (i%3 == 1) || m.TaskOk != nil {
			t.Fatalf("answer %d: %v", i, m)
		}
	}
}

func TestBatchRowErrors(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	first := row("a", "1", `{"reference":"1"}`)
	first.Spec = specFor(t, "math", nil)
	exact := row("e", "X", `{"reference":"x"}`)
	exact.Spec = &verifierv1.Spec{Name: "exact_answer:case=exact"}
	got, err := batch(t, c, first, row("", "1", `{"reference":"1"}`), row("a", "1", `{"reference":"1"}`), row("b", "1", `{"reference":1,}`), row("c", "1", `{}`), exact, row("f", "X", `{"reference":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"equal", "missing_id", "duplicate_id", "bad_row", "BAD_REFERENCE", "different", "different"}
	for i, m := range got {
		have := m.GetError().GetCode() + m.GetVerdict().GetReason()
		if u := m.GetVerdict().GetUnscored(); u != nil {
			have = strings.TrimPrefix(u.GetReason().String(), "UNSCORED_REASON_")
		}
		if have != want[i] {
			t.Errorf("row %d: %v, want %s", i, m, want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d answers, want %d", len(got), len(want))
	}
	if _, err := batch(t, c, row("a", "1", "{}")); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_BAD_SPEC) {
		t.Errorf("no spec: %v", err)
	}
}

func TestCheckTask(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	composite := &verifierv1.Spec{Name: "composite", Members: []*verifierv1.Spec{specFor(t, "math", nil), specFor(t, "regex", map[string]any{"pattern": "(?s).*####.*"})}}
	tests := []struct {
		name string
		spec *verifierv1.Spec
		row  string
		ok   bool
	}{
		{"number", specFor(t, "math", nil), `{"reference":"72"}`, true},
		{"anchored profile", specFor(t, "math", map[string]any{"profile": "final_answer"}), `{"reference":"72"}`, true},
		{"whole profile", specFor(t, "exact_answer", map[string]any{"profile": "whole"}), `{"reference":"Paris"}`, true},
		{"a format that the reference alone has not", composite, `{"reference":"72"}`, true},
		{"completion", composite, `{"reference":"72","completion":"thus #### 72"}`, true},
		{"working in the reference", specFor(t, "math", nil), `{"reference":"3*24=72\n#### 72"}`, true},
		{"reference that does not parse", specFor(t, "math", nil), `{"reference":"\\frac{"}`, false},
		{"no reference", specFor(t, "math", nil), `{}`, false},
		{"empty answer passes", specFor(t, "regex", map[string]any{"pattern": ".*"}), `{"reference":"x"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := row("a", "", tt.row)
			r.Spec, r.CheckTask = tt.spec, true
			got, err := batch(t, c, r)
			if err != nil || len(got) != 1 || got[0].TaskOk == nil || got[0].GetTaskOk() != tt.ok {
				t.Errorf("%v, %v; want %v", got, err, tt.ok)
			}
		})
	}
}

// checked runs check_task over rows.
func checked(t *testing.T, c verifierv1.VerifierServiceClient, spec *verifierv1.Spec, rows ...string) []*verifierv1.VerifyBatchResponse {
	t.Helper()
	var requests []*verifierv1.VerifyBatchRequest
	for i, json := range rows {
		r := row(fmt.Sprint(i), "", json)
		r.Spec, r.CheckTask = spec, true
		requests = append(requests, r)
	}
	got, err := batch(t, c, requests...)
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	return got
}

// A policy that repeats the question must not be paid for it; whoever starts a run learns of it before.
func TestCheckTaskFindsPromptsThatPass(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	math := specFor(t, "math", nil)
	for _, tt := range []struct {
		name string
		spec *verifierv1.Spec
		row  string
		echo bool
	}{
		{"the prompt is the sum", math, `{"prompt":"47+25","reference":"72"}`, true},
		{"the prompt is the answer", specFor(t, "exact_answer", nil), `{"prompt":"Paris","reference":"Paris"}`, true},
		{"a number is asked for", &verifierv1.Spec{Name: "math:profile=final_answer,form=number"}, `{"prompt":"47+25","reference":"72"}`, false},
		{"the prompt is a question", math, `{"prompt":"How many?","reference":"72"}`, false},
		{"no prompt", math, `{"reference":"72"}`, false},
		{"a prompt of turns", math, `{"prompt":[{"role":"user","content":"72"}],"reference":"72"}`, false},
		{"a prompt that is a number", math, `{"prompt":72,"reference":"72"}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := checked(t, c, tt.spec, tt.row)[0]
			found := false
			for _, f := range got.GetVerdict().GetFindings() {
				if f.GetKind() == findingEcho {
					found = true
					if f.GetSeverity() != corev1.Severity_SEVERITY_WARN || f.GetDetail() == "" {
						t.Errorf("%v", f)
					}
				}
			}
			if found != tt.echo || !got.GetTaskOk() { // it is no fault of the row
				t.Errorf("%v, want echo %v", got, tt.echo)
			}
		})
	}
}

// A spec that came with one row of many does not end the others, and rows that would go by it are not judged by another.
func TestARowsOwnSpecIsItsOwnFault(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	rows := make([]*verifierv1.VerifyBatchRequest, 5)
	for i := range rows {
		rows[i] = row(fmt.Sprint(i), "X", `{"reference":"x"}`)
	}
	rows[0].Spec = specFor(t, "exact_answer", nil)
	rows[1].Spec = &verifierv1.Spec{Name: "mth"}
	rows[3].Spec = &verifierv1.Spec{Name: "exact_answer:case=exact"}
	got, err := batch(t, c, rows...)
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	for i, want := range []string{"equal", "unknown_verifier", "unknown_verifier", "different", "different"} {
		if have := got[i].GetError().GetCode() + got[i].GetVerdict().GetReason(); have != want {
			t.Errorf("row %d: %v, want %s", i, got[i], want)
		}
	}
	if !strings.Contains(got[1].GetError().GetMessage(), "math") {
		t.Errorf("the nearest name is not given: %v", got[1])
	}
}
