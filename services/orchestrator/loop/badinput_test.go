package loop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// The rows of the bad-input table that this role answers. Each of these ends before the engine is started: nothing is
// trained on data that cannot be judged, and there is no ledger to seal.
func TestBadInputBeforeTheStart(t *testing.T) {
	problems := func(n uint64) func(evaluatorv1.DatasetUse) *evaluatorv1.ValidateDatasetResponse {
		return func(evaluatorv1.DatasetUse) *evaluatorv1.ValidateDatasetResponse {
			out := &evaluatorv1.ValidateDatasetResponse{Rows: 100, ProblemCount: n}
			for i := range min(n, 20) {
				out.Problems = append(out.Problems, &evaluatorv1.RowProblem{Row: 7 * (i + 1), Kind: "no_reference", Detail: "nothing to compare with"})
			}
			return out
		}
	}
	for _, c := range []struct {
		name string
		bad  func(*rig)
		code string
		says []string
	}{
		{"dataset rows that cannot be used", func(r *rig) { r.eval.report = problems(37) }, "DATASET_INVALID", []string{"37 problems in 100 rows", "row 7: no_reference", "row 140"}},
		{"dataset with 0 rows", func(r *rig) {
			r.eval.report = func(evaluatorv1.DatasetUse) *evaluatorv1.ValidateDatasetResponse {
				return &evaluatorv1.ValidateDatasetResponse{}
			}
		}, "DATASET_INVALID", []string{"no rows"}},
		{"eval set that cannot be used", func(r *rig) {
			r.evals()
			r.eval.report = func(use evaluatorv1.DatasetUse) *evaluatorv1.ValidateDatasetResponse {
				if use != evaluatorv1.DatasetUse_DATASET_USE_EVAL {
					return nil
				}
				return problems(1)(use)
			}
		}, "DATASET_INVALID", []string{"eval dataset", "1 problems"}},
		{"train and eval share rows", func(r *rig) { r.evals(); r.eval.shared = 5 }, "DATASETS_OVERLAP", []string{"5 rows", "--allow-contaminated"}},
		{"verifier that cannot parse a reference", func(r *rig) {
			var rows strings.Builder
			for i := range 30 {
				fmt.Fprintf(&rows, "{\"prompt\":\"p\",\"reference\":\"bad %d\"}\n", i)
			}
			r.spec.Train = r.rows("{\"prompt\":\"p\",\"reference\":\"1\"}\n" + rows.String())
		}, "VERIFIER_INVALID", []string{"30 rows", "row 2: the reference is no number", "row 21"}},
		{"dataset that is not there", func(r *rig) { r.spec.Train.Digest = digest("nowhere") }, "DATASET_NOT_FOUND", []string{"dataset"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			c.bad(r)
			got := r.play(run.Failed)
			if got.GetFailure().GetCode() != c.code {
				t.Errorf("failed with %v, want %s", got.GetFailure(), c.code)
			}
			for _, s := range c.says {
				if !strings.Contains(got.GetFailure().GetMessage(), s) {
					t.Errorf("says %q, and not %q", got.GetFailure().GetMessage(), s)
				}
			}
			if strings.Contains(got.GetFailure().GetMessage(), "row 22") {
				t.Error("more than the first 20 rows are named")
			}
			if len(r.tr.begun()) != 0 || len(r.rec.all()) != 0 || got.GetEndTime() == nil {
				t.Errorf("%d starts, %d records, ended %v", len(r.tr.begun()), len(r.rec.all()), got.GetEndTime())
			}
		})
	}
}

// Shared rows that are allowed are recorded, and flagged in what the passport is made of.
func TestBadInputSharedRowsThatAreAllowed(t *testing.T) {
	for _, shared := range []uint64{0, 5} {
		r := newRig(t)
		r.evals()
		r.eval.shared = shared
		r.spec.Limits = &orchestratorv1.Limits{AllowContaminated: true}
		r.play(run.Succeeded)
		order := unmarshal(t, r.rec.find(recorderv1.RecordType_RECORD_TYPE_DATA_ORDER)[0], &orchestratorv1.DataOrder{})
		if order.SharedRows == nil || order.GetSharedRows() != shared {
			t.Errorf("DATA_ORDER says %v", order)
		}
		if doc := string(r.gov.sealed[0].GetDocument()); !strings.Contains(doc, fmt.Sprintf(`"contaminated":%v`, shared > 0)) {
			t.Errorf("the BOM's part says %s", doc)
		}
	}
	r := newRig(t)
	r.play(run.Succeeded)
	if doc := string(r.gov.sealed[0].GetDocument()); !strings.Contains(doc, `"contaminated":null`) {
		t.Errorf("not checked is not clean: %s", doc)
	}
}

// A full disk pauses the run, wherever it is noticed; when there is room again the run goes on by itself, with the same log.
func TestBadInputDiskFull(t *testing.T) {
	calm := newRig(t)
	calm.play(run.Succeeded)
	for _, room := range []int{1, 3, 9, 14, 24} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			r := newRig(t)
			r.rec.room = room
			r.create()
			lived := make(chan error, 1)
			go func() { lived <- r.live(t.Context(), nil) }()
			r.await("PAUSED waits for disk")
			r.rec.lock.Lock()
			r.rec.room = 0
			r.rec.lock.Unlock()
			if err := <-lived; err != nil {
				t.Fatal(err)
			}
			if got := r.get(); got.GetState() != run.Succeeded || got.GetProgress().GetWaiting() != "" {
				t.Errorf("%s, waits for %q", got.GetState(), got.GetProgress().GetWaiting())
			}
			sameLog(t, r, calm)
		})
	}
}

// Governance that is away is waited for in SEALING, visibly; a run without a seal is not SUCCEEDED.
func TestBadInputGovernanceDown(t *testing.T) {
	r := newRig(t)
	r.gov.fail("seal", 4, away())
	r.gov.looks = 3
	got := r.play(run.Succeeded)
	seen := r.seen()
	i := slices.IndexFunc(seen, func(s string) bool { return strings.HasPrefix(s, "SEALING waits for a role of the mesh") })
	if i < 0 || slices.Contains(seen[:i], "SUCCEEDED") || seen[len(seen)-1] != "SUCCEEDED" {
		t.Errorf("watchers saw %q", seen)
	}
	if n := len(r.gov.sealed); n != 4 || got.GetPassport() == "" {
		t.Errorf("asked %d times, passport %q", n, got.GetPassport())
	}
	for _, s := range r.gov.sealed {
		if s.GetRequestId() != r.gov.sealed[0].GetRequestId() || string(s.GetDocument()) != string(r.gov.sealed[0].GetDocument()) {
			t.Error("two asks for one seal differ")
		}
	}
}

// A seal that governance refuses for good ends the run: FAILED and not SUCCEEDED, and not tried for ever.
func TestASealThatIsRefused(t *testing.T) {
	r := newRig(t)
	r.gov.refusal = &status.Status{Code: int32(codes.InvalidArgument), Message: "the document has no config"}
	got := r.play(run.Failed)
	if !strings.Contains(got.GetFailure().GetMessage(), "the document has no config") || got.GetPassport() != "" || !r.rec.sealed {
		t.Errorf("%v, passport %q, ledger sealed %v", got.GetFailure(), got.GetPassport(), r.rec.sealed)
	}
}

// An engine of another lease epoch, and a replayed command with other bytes: the fenced owner stops and leaves the run to
// its new one; other bytes end it.
func TestBadInputEpochAndReplay(t *testing.T) {
	t.Run("lease lost at the trainer", func(t *testing.T) {
		r := newRig(t)
		r.create()
		r.tr.epoch = 9
		if err := r.live(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "an old epoch") {
			t.Errorf("got %v", err)
		}
		if got := r.get(); run.Ended(got.GetState()) || got.GetFailure() != nil {
			t.Errorf("%s, %v", got.GetState(), got.GetFailure())
		}
	})
	t.Run("lease lost in the middle of a step", func(t *testing.T) {
		r := newRig(t)
		r.create()
		r.rec.finds = func(step uint64) *recorderv1.Anomaly { // called with the recorder's lock held
			if step == 1 {
				r.rec.epoch = 9
			}
			return nil
		}
		if err := r.live(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "LEASE_LOST") {
			t.Errorf("got %v", err)
		}
		if got := r.get(); run.Ended(got.GetState()) || len(r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)) != 0 {
			t.Errorf("the fenced owner ended the run: %s", got.GetState())
		}
	})
	t.Run("other bytes", func(t *testing.T) {
		r := newRig(t)
		r.create()
		r.killed(PointReport, 1)
		r.tr.drift = "!"
		if err := r.live(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := r.get(); got.GetFailure().GetCode() != "RESUME_DIVERGED" || !strings.Contains(got.GetFailure().GetMessage(), "record 3") {
			t.Errorf("%s, %v", got.GetState(), got.GetFailure())
		}
	})
}

// Stopping the process is not ending the run: the second SIGINT's case. It is resumable and makes the same log.
func TestBadInputStoppedAtOnce(t *testing.T) {
	calm := newRig(t)
	calm.play(run.Succeeded)
	r := newRig(t)
	r.create()
	r.killed(PointDecided, 2)
	if got := r.get(); run.Ended(got.GetState()) {
		t.Fatalf("the run is %s", got.GetState())
	}
	if err := r.live(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	sameLog(t, r, calm)
}
