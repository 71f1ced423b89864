package evaluator

import (
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

func (r *rig) rows(e *evaluatorv1.Evaluation) *evaluatorv1.EvaluationRows {
	r.t.Helper()
	d, err := blob.ParseDigest(e.GetRowsDigest())
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := r.blobs.Read(r.t.Context(), d, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	out := &evaluatorv1.EvaluationRows{}
	if err := proto.Unmarshal(b, out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// prompts are rows whose answers the fake trainer reads off them.
func prompts(answers ...string) []string {
	var out []string
	for i, a := range answers {
		out = append(out, `{"id":"q`+string(rune('a'+i))+`","prompt":"p=`+a+`","reference":"right"}`)
	}
	return out
}

func TestACheckpointIsSampledAndJudged(t *testing.T) {
	r := newRig(t)
	ref := r.ingest(prompts("right", "wrong", "right", "right")...)
	e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: ref, Checkpoint: "run@last",
		Metrics: []string{"verifier", "exact_match", "verifier:math"}, Verifier: &verifierv1.Spec{Name: "gsm8k"}})
	if err != nil {
		t.Fatal(err)
	}
	if string(e.GetCheckpoint()) != string(checkpoint) || string(e.GetDataset()) != string(ref.GetDigest()) || len(e.GetEstimates()) != 3 {
		t.Errorf("%v", e)
	}
	for i, want := range []string{"verifier:gsm8k pass_rate/v1", "exact_match exact_match/v1;norm=plain", "verifier:math pass_rate/v1"} {
		est := e.GetEstimates()[i]
		// Wilson for 3 of 4 at 95 %, by hand: centre (3/4 + z²/8)/(1 + z²/4), z² = 3.841459.
		if est.GetMetric()+" "+est.GetDefinition() != want || est.GetValue() != .75 || est.GetN() != 4 || math.Abs(est.GetInterval().GetLow()-.30064) > 1e-5 ||
			math.Abs(est.GetInterval().GetHigh()-.95441) > 1e-5 || est.GetInterval().GetMethod() != evaluatorv1.IntervalMethod_INTERVAL_METHOD_WILSON {
			t.Errorf("%v, want %s", est, want)
		}
	}
	if !slices.Equal(r.verifier.specs, []string{"gsm8k", "math"}) {
		t.Errorf("specs %q", r.verifier.specs)
	}
	rows := r.rows(e).GetRows()
	if len(rows) != 4 || rows[1].GetId() != "qb" || rows[1].GetValue() != 0 || string(rows[1].GetResponse()) != "wrong" {
		t.Errorf("%v", rows)
	}
}

func TestTheSecondTimeIsFromTheCache(t *testing.T) {
	r := newRig(t)
	req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("right")...), Checkpoint: "run@last", Metrics: []string{"exact_match"}}
	first, err := r.evaluate(req)
	if err != nil {
		t.Fatal(err)
	}
	req.Checkpoint = strings.Repeat("07", 32) // the same one by its digest
	again, err := r.evaluate(req)
	if err != nil || !proto.Equal(first, again) || r.trainer.calls != 1 {
		t.Errorf("%v, then %v (%v); sampled %d times", first, again, err, r.trainer.calls)
	}
	level := .5
	req.Level = &level
	if other, err := r.evaluate(req); err != nil || other.GetEstimates()[0].GetInterval().GetLevel() != .5 || r.trainer.calls != 2 {
		t.Errorf("another request: %v, %v", other, err)
	}
}

func TestUnscoredRowsAreNoFailures(t *testing.T) {
	r := newRig(t)
	ref := r.ingest(prompts("right", "slow", "bad row", "bad row without a code", "silence", "wrong")...)
	req := &evaluatorv1.EvaluateRequest{Dataset: ref, Checkpoint: "run@last", Metrics: []string{"verifier:math"}}
	_, err := r.evaluate(req)
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_TOO_MANY_UNSCORED) || !strings.Contains(err.Error(), "4 of 6") || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("without max_unscored: %v", err)
	}
	for _, c := range []struct {
		share float64
		ok    bool
	}{{.6, false}, {4. / 6, true}, {1, true}} {
		req.MaxUnscored = &c.share
		e, err := r.evaluate(req)
		if (err == nil) != c.ok {
			t.Errorf("max_unscored %v: %v", c.share, err)
		}
		if err != nil {
			continue
		}
		if est := e.GetEstimates()[0]; est.GetN() != 2 || est.GetUnscored() != 4 || est.GetValue() != .5 {
			t.Errorf("%v", est)
		}
		var reasons []string
		for _, row := range r.rows(e).GetRows() {
			reasons = append(reasons, row.GetReason())
		}
		if want := []string{"", "deadline", "BAD_SPEC", "row_error", "unspecified", ""}; !slices.Equal(reasons, want) {
			t.Errorf("reasons %q, want %q", reasons, want)
		}
	}
}

func TestWhatCannotBeEvaluated(t *testing.T) {
	good := prompts("right", "wrong")
	for _, c := range []struct {
		name   string
		change func(*rig, *evaluatorv1.EvaluateRequest)
		want   corev1.ErrorReason
	}{
		{"unknown metric", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Metrics = []string{"bleu"} }, corev1.ErrorReason_ERROR_REASON_METRIC_UNKNOWN},
		{"verifier without one", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Metrics = []string{"verifier"} }, corev1.ErrorReason_ERROR_REASON_METRIC_UNKNOWN},
		{"verifier without a name", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Metrics = []string{"verifier:"} }, corev1.ErrorReason_ERROR_REASON_METRIC_UNKNOWN},
		{"no metric", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Metrics = nil }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"neither checkpoint nor predictions", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Checkpoint = "" }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"both", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Predictions = q.GetDataset() }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"unknown checkpoint", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Checkpoint = "other" }, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND},
		{"unknown dataset", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Dataset = &corev1.DatasetRef{Digest: make([]byte, 32)} },
			corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND},
		{"no digest", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Dataset = &corev1.DatasetRef{} }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"no rows", func(r *rig, q *evaluatorv1.EvaluateRequest) { q.Dataset = r.ingest("") }, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID},
		{"a row that is none", func(r *rig, q *evaluatorv1.EvaluateRequest) { q.Dataset = r.ingest(good[0], "x") }, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID},
		{"a row without prompt", func(r *rig, q *evaluatorv1.EvaluateRequest) { q.Dataset = r.ingest(`{"reference":"a"}`) },
			corev1.ErrorReason_ERROR_REASON_DATASET_INVALID},
		{"an endless id", func(r *rig, q *evaluatorv1.EvaluateRequest) {
			q.Dataset = r.ingest(`{"prompt":"p","id":"` + strings.Repeat("x", 513) + `"}`)
		}, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID},
		{"an unknown baseline", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Baselines = [][]byte{make([]byte, 32)} },
			corev1.ErrorReason_ERROR_REASON_BLOB_MISSING},
		{"a baseline that is no digest", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Baselines = [][]byte{{1}} }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a baseline that is no evaluation", func(_ *rig, q *evaluatorv1.EvaluateRequest) { q.Baselines = [][]byte{q.GetDataset().GetDigest()} },
			corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(good...), Checkpoint: "run@last", Metrics: []string{"exact_match"}}
			c.change(r, req)
			if _, err := r.evaluate(req); !rpc.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// A neighbour that answers too little, too much or for another must not become a score.
func TestNeighboursThatMisbehave(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*rig)
	}{
		{"a prompt is not answered", func(r *rig) {
			r.trainer.mangle = func(m []*trainerv1.GenerateResponse) []*trainerv1.GenerateResponse { return m[1:] }
		}},
		{"a prompt is answered twice", func(r *rig) {
			r.trainer.mangle = func(m []*trainerv1.GenerateResponse) []*trainerv1.GenerateResponse { m[0] = m[1]; return m }
		}},
		{"a prompt that was not asked", func(r *rig) {
			r.trainer.mangle = func(m []*trainerv1.GenerateResponse) []*trainerv1.GenerateResponse { m[0].Index = 9; return m }
		}},
		{"another checkpoint answers", func(r *rig) {
			r.trainer.mangle = func(m []*trainerv1.GenerateResponse) []*trainerv1.GenerateResponse {
				m[0].Checkpoint = make([]byte, 32)
				return m
			}
		}},
		{"the verifier stops", func(r *rig) { r.verifier.stop = 1 }},
		{"the verifier answers for another row", func(r *rig) { r.verifier.id = "x" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			c.change(r)
			if e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("right", "right")...), Checkpoint: "run@last",
				Metrics: []string{"verifier:math"}}); err == nil {
				t.Errorf("%v", e)
			}
		})
	}
}

func TestLimitTakesTheFirstRows(t *testing.T) {
	r := newRig(t)
	e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("right", "wrong", "wrong")...), Checkpoint: "run@last",
		Metrics: []string{"exact_match"}, Limit: 1})
	if err != nil || e.GetEstimates()[0].GetN() != 1 || e.GetEstimates()[0].GetValue() != 1 {
		t.Errorf("%v, %v", e, err)
	}
}
