package tracked

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/spool"
)

func record(t *testing.T, text string, into proto.Message) *recorderv1.Record {
	t.Helper()
	row, err := spool.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var c Converter
	rec, err := c.Record(row)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := proto.Unmarshal(rec.GetPayload(), into); err != nil {
			t.Fatal(err)
		}
	}
	return rec
}

func steps(t *testing.T, text string) map[string]*corev1.Metric {
	t.Helper()
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	record(t, text, &rec)
	if err := proto.Unmarshal(rec.GetFacts(), &facts); err != nil {
		t.Fatal(err)
	}
	if facts.GetApplied() || facts.GetReason() != "NOT_REPORTED" {
		t.Errorf("what the engine did with its weights was made up: %v", &facts)
	}
	out := map[string]*corev1.Metric{}
	for _, m := range facts.GetMetrics() {
		out[m.GetCanonical()] = m
	}
	return out
}

func TestStep(t *testing.T) {
	m := steps(t, `{"seq":2,"type":"step","step":7,"metrics":{"kl":0.5,"loss":"NaN","mine/x":3,"policy.entropy":1}}`)
	if m["kl.ref"].GetValue() != 0.5 || m["kl.ref"].GetRawKey() != "kl" || m["loss.policy"].GetNonFinite() != corev1.NonFinite_NON_FINITE_NAN ||
		m["loss.policy"].Value != nil || m["raw.mine/x"].GetValue() != 3 || m["policy.entropy"].GetValue() != 1 || len(m) != 4 {
		t.Errorf("%v", m)
	}
	m = steps(t, `{"seq":2,"type":"step","step":7,"engine":"trl","metrics":{"reward":0.5,"completions/mean_length":16,"eval_reward":1}}`)
	if m["reward.mean"].GetValue() == 0 || m["length.mean"].GetValue() != 16 {
		t.Errorf("%v", m)
	}
	var c Converter
	var unknown *EngineError
	if _, err := c.Record(&spool.Row{Type: spool.Step, Engine: "jax"}); !errors.As(err, &unknown) {
		t.Errorf("an unknown engine: %v", err)
	}
}

func TestVerdict(t *testing.T) {
	var v corev1.Verdict
	record(t, `{"seq":2,"type":"verdict","id":"a","reward":0.5,"passed":true}`, &v)
	if v.GetScored().GetReward() != 0.5 || !v.GetScored().GetPassed() || v.GetVerifier() != Verifier || len(v.GetFindings()) != 0 {
		t.Errorf("%v", &v)
	}
	record(t, `{"seq":2,"type":"verdict","id":"a","reward":0.5}`, &v)
	if v.GetScored().GetPassed() || v.GetFindings()[0].GetKind() != "passed_not_reported" {
		t.Errorf("nobody said whether it passed: %v", &v)
	}
	rec := record(t, `{"seq":2,"type":"heldout_verdict","id":"a","reward":"NaN"}`, &v)
	if rec.GetType() != recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT || v.GetUnscored().GetReason() != corev1.UnscoredReason_UNSCORED_REASON_NON_FINITE {
		t.Errorf("a reward that is no number: %v", &v)
	}
}

func TestTheRest(t *testing.T) {
	var r corev1.Rollout
	record(t, `{"seq":2,"type":"rollout","id":"a","group":"g","step":3,"turns":[{"role":"user","text":"q"},{"role":"assistant","text":"x"},{"role":"tool","text":"y"}]}`, &r)
	if r.GetTurns() != 1 || len(r.GetSegments()) != 3 || r.GetSegments()[2].GetKind() != corev1.SegmentKind_SEGMENT_KIND_TOOL || r.GetStep() != 3 {
		t.Errorf("%v", &r)
	}
	var e evaluatorv1.Evaluation
	record(t, `{"seq":2,"type":"eval","step":3,"metrics":{"acc":0.4,"bad":"Infinity"},"dataset":"gsm8k","n":10}`, &e)
	if e.GetEstimates()[0].GetValue() != 0.4 || e.GetEstimates()[0].GetN() != 10 || e.GetEstimates()[1].Value != nil || len(e.GetEstimates()[1].GetWarnings()) != 1 {
		t.Errorf("%v", &e)
	}
	for text, want := range map[string]*orchestratorv1.RunClose{
		`"outcome":"completed"`:                    {Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED},
		`"outcome":"completed","dropped":3`:        {Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, Partial: true, Dropped: 3},
		`"outcome":"completed","invalid":2`:        {Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, Partial: true, Invalid: 2},
		`"outcome":"partial","error":"ValueError"`: {Outcome: trainerv1.Outcome_OUTCOME_CRASHED, State: orchestratorv1.RunState_RUN_STATE_FAILED, Partial: true, Error: "ValueError"},
	} {
		var c orchestratorv1.RunClose
		if record(t, `{"seq":2,"type":"close",`+text+`}`, &c); !proto.Equal(&c, want) {
			t.Errorf("%s: %v", text, &c)
		}
	}
}

// Name, host and time are beside the tree: two equal runs have equal payloads.
func TestWhatIsHashed(t *testing.T) {
	open := `{"seq":0,"type":"open","at":"2026-01-01T00:00:00Z","format":"provenir.track/v1","run":"g6h19s46h7v7tbftq8wmc85198","epoch":5,"name":"n","host":"h"}`
	var m orchestratorv1.RunOpen
	a := record(t, open, &m)
	b := record(t, strings.NewReplacer("2026", "2027", `"n"`, `"m"`, `"h"`, `"i"`).Replace(open), nil)
	if m.GetFormat() != spool.Format || string(a.GetPayload()) != string(b.GetPayload()) || string(a.GetVolatile()) == string(b.GetVolatile()) {
		t.Errorf("%x %s, %x %s", a.GetPayload(), a.GetVolatile(), b.GetPayload(), b.GetVolatile())
	}
}
