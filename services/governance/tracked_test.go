package governance

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/passport"
)

const trackedRun = "g6e8kq3vn5tz7y2m4c6w8x2a4c" // the first bit set

// trackedDoc is what the orchestrator sends of a tracked run.
func (r *rig) trackedDoc(partial bool) map[string]any {
	var checkpoints []any
	for i, l := range ledger.Logs {
		root := ledger.Hash(sha256.Sum256([]byte(l.String())))
		checkpoints = append(checkpoints, map[string]any{"log": "LOG_" + map[ledger.Log]string{ledger.Events: "EVENTS", ledger.Findings: "FINDINGS", ledger.Timing: "TIMING"}[l],
			"size": 10 * (i + 1), "root": "sha256:" + hex.EncodeToString(root[:]), "note": r.note("default", trackedRun, l, uint64(10*(i+1)), root), "cosigned": false})
	}
	return map[string]any{"run": map[string]any{"name": "loop", "recordedBy": "tracker", "partial": partial, "state": "RUN_STATE_SUCCEEDED"},
		"ledger": map[string]any{"vkey": r.vkey, "checkpoints": checkpoints}, "health": map[string]any{"counts": []any{}}}
}

func (r *rig) trackedRequest(partial bool) *governancev1.SealBomRequest {
	return &governancev1.SealBomRequest{RunId: trackedRun, Document: r.encode(r.trackedDoc(partial))}
}

// A tracked run's passport verifies from its folder alone, names no model, and says that it is a tracker's word.
func TestATrackedRunIsSealed(t *testing.T) {
	for _, partial := range []bool{false, true} {
		r := newRig(t)
		if _, err := r.seal(r.trackedRequest(partial)); err != nil {
			t.Fatal(err)
		}
		if again, err := r.seal(r.trackedRequest(partial)); err != nil || again.GetPassport() == "" {
			t.Errorf("again: %v", err)
		}
		dir := filepath.Join(r.dir, "passports", trackedRun)
		files := map[string][]byte{}
		for _, name := range []string{fileBundle, fileBOM, fileSignerPEM, fileLogVKey, filePassport, fileBlobSig} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = b
		}
		for _, name := range []string{fileModelSig, modelFolder} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s of a model that nobody has seen", name)
			}
		}
		key, err := passport.ParsePublicKey(files[fileSignerPEM])
		if err != nil {
			t.Fatal(err)
		}
		in := passport.Input{Bundle: files[fileBundle], Keys: []*ecdsa.PublicKey{key}, BOM: files[fileBOM], LogKeys: []string{r.vkey}}
		got := passport.Verify(in)
		p := got.Statement.Predicate
		if got.Overall != passport.Holds || !got.Statement.Tracked() || p.RecordedBy != passport.ByTracker || p.Partial != partial || p.ModelID != "" || p.RunState != "succeeded" {
			t.Errorf("%+v", got)
		}
		in.Model = fstest.MapFS{"a": {Data: []byte("x")}}
		if got = passport.Verify(in); got.Overall != passport.Unchecked {
			t.Errorf("with a model: %+v", got)
		}
		claims := map[string]string{}
		for _, c := range p.RiskClaims {
			claims[c.Name] = c.State
			if c.State == "clear" && c.Name != "incomplete_ledger" {
				t.Errorf("%s is said to be clear, and nobody checked it", c.Name)
			}
		}
		if want := map[bool]string{true: "raised", false: "unknown"}[partial]; claims["partial_run"] != want || claims["self_reported"] != "raised" {
			t.Errorf("%v", claims)
		}
		var bom struct {
			Model any `json:"model"`
			Run   struct {
				Run struct {
					RecordedBy string `json:"recordedBy"`
				} `json:"run"`
			} `json:"run"`
		}
		if err := json.Unmarshal(files[fileBOM], &bom); err != nil || bom.Model != nil || bom.Run.Run.RecordedBy != "tracker" {
			t.Errorf("%v, %+v", err, bom)
		}
		read, err := r.client.GetPassport(t.Context(), &governancev1.GetPassportRequest{Passport: trackedRun})
		if err != nil || len(read.GetFiles()) != 6 {
			t.Errorf("%v, %d files", err, len(read.GetFiles()))
		}
		if r.trainer.asked != 0 {
			t.Error("the trainer was asked for a model")
		}
	}
}

// Neither kind of run passes for the other, whatever the document says.
func TestATrackedRunIsNoOther(t *testing.T) {
	r := newRig(t)
	for name, req := range map[string]*governancev1.SealBomRequest{
		"a tracked run with a model":             {RunId: trackedRun, Document: r.encode(r.trackedDoc(false)), Checkpoint: r.checkpoint(weights)},
		"a tracked run that says nothing":        {RunId: trackedRun, Document: r.encode(r.doc()), Checkpoint: r.checkpoint(weights)},
		"a run of the mesh as a tracked one":     {RunId: run, Document: r.encode(r.trackedDoc(false))},
		"a run of the mesh without a checkpoint": {RunId: run, Document: r.encode(r.doc())},
		"a checkpoint that is none":              {RunId: run, Document: r.encode(r.doc()), Checkpoint: []byte("short")},
		"somebody else": {RunId: trackedRun, Document: r.encode(func() map[string]any {
			d := r.trackedDoc(false)
			d["run"].(map[string]any)["recordedBy"] = "somebody"
			return d
		}())},
	} {
		if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := r.trackedDoc(true)
	d["run"].(map[string]any)["state"] = "RUN_STATE_FAILED"
	if _, err := r.seal(&governancev1.SealBomRequest{RunId: trackedRun, Document: r.encode(d)}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) {
		t.Errorf("a run that broke, without allow_partial: %v", err)
	}
	d["run"].(map[string]any)["state"] = "RUN_STATE_SILENT"
	if _, err := r.seal(&governancev1.SealBomRequest{RunId: trackedRun, Document: r.encode(d), AllowPartial: true}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) {
		t.Errorf("a run without an end: %v", err)
	}
	r.nothingLeft()
}
