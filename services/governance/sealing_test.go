package governance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/passport"
)

// The folder alone convinces a stranger who trusts the public key.
func TestASealedRunVerifiesOffline(t *testing.T) {
	r := newRig(t)
	sealed := r.mustSeal()
	key, err := passport.ParsePublicKey(r.read("keys/signer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	got := passport.Verify(passport.Input{Bundle: r.read(fileBundle), Keys: []*ecdsa.PublicKey{key}, BOM: r.read(fileBOM),
		Model: os.DirFS(filepath.Join(sealed.GetFolder(), modelFolder)), LogKeys: []string{string(bytes.TrimSpace(r.read(fileLogVKey)))}})
	if got.Overall != passport.Holds {
		t.Fatalf("%+v", got)
	}
	for _, c := range got.Checks {
		if c.State != passport.Holds {
			t.Errorf("%+v", c)
		}
	}
	p := got.Statement.Predicate
	if p.ModelID != "org/name" || p.RunID != run || p.RunState != "succeeded" || len(p.Ledger) != 3 || p.Issuance.SignedAt != "2023-11-14T22:13:20Z" {
		t.Errorf("%+v", p)
	}
	if !bytes.Equal(got.Payload, r.read(filePassport)) || name(got.Payload) != sealed.GetPassport() || name(r.read(fileBOM)) != sealed.GetBom() {
		t.Error("passport.json or bom.json is not what the answer names")
	}
	if n, err := outbox.Pending(t.Context(), r.db); err != nil || n != 1 {
		t.Errorf("%d messages wait, %v", n, err)
	}
}

func TestSealedTwiceIsOnePassport(t *testing.T) {
	r := newRig(t)
	first := r.mustSeal()
	r.clock.Advance(time.Hour)
	asked := r.trainer.asked
	again := r.mustSeal()
	if again.GetPassport() != first.GetPassport() || again.GetFolder() != first.GetFolder() || r.trainer.asked != asked {
		t.Errorf("%v, then %v", first, again)
	}
	other := r.request()
	other.Checkpoint = r.checkpoint(map[string]string{"model.safetensors": "other"})
	if _, err := r.seal(other); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_ALREADY_SEALED) {
		t.Errorf("another checkpoint: %v", err)
	}
	doc := r.doc()
	doc["more"] = 1
	other = r.request()
	other.Document = r.encode(doc)
	if _, err := r.seal(other); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_ALREADY_SEALED) {
		t.Errorf("another document: %v", err)
	}
	if name(r.read(filePassport)) != first.GetPassport() {
		t.Error("a refused call changed the folder")
	}
}

// A crash between the two tries, and the recorder got its cosignatures meanwhile: still the same end of the same run.
func TestACosignatureThatCameLaterIsNoOtherInput(t *testing.T) {
	r := newRig(t)
	first := r.mustSeal()
	doc := r.doc()
	checkpoints := doc["ledger"].(map[string]any)["checkpoints"].([]any)
	for _, c := range checkpoints {
		c := c.(map[string]any)
		both, err := r.service.cosigner.Cosign([]byte(c["note"].(string)), r.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		c["note"], c["cosigned"] = string(both), true
	}
	req := r.request()
	req.Document = r.encode(doc)
	again, err := r.seal(req)
	if err != nil || again.GetPassport() != first.GetPassport() {
		t.Fatalf("%v, %v; want the passport %s", again, err, first.GetPassport())
	}
	last := checkpoints[2].(map[string]any)
	last["note"] = r.note("default", run, ledger.Timing, 31, ledger.Hash{1})
	req.Document = r.encode(doc)
	if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_ALREADY_SEALED) {
		t.Errorf("another checkpoint in the same document: %v", err)
	}
}

// Two calls at once must not each put a folder in place.
func TestSealsAtOnceAgree(t *testing.T) {
	r := newRig(t)
	req := r.request()
	var wg sync.WaitGroup
	got := make([]*governancev1.SealedBom, 8)
	errs := make([]error, len(got))
	for i := range got {
		wg.Go(func() { got[i], errs[i] = r.seal(req) })
	}
	wg.Wait()
	for i := range got {
		if errs[i] != nil || got[i].GetPassport() != got[0].GetPassport() {
			t.Errorf("%d: %v, %v", i, got[i], errs[i])
		}
	}
	if name(r.read(filePassport)) != got[0].GetPassport() {
		t.Error("the folder is not the one that was listed")
	}
}

// A crash leaves a half-made folder, or a whole one without its row. Neither stands in the way, and neither stays.
func TestCrashLeftovers(t *testing.T) {
	r := newRig(t)
	half := filepath.Join(r.dir, "passports", leftovers+"123", modelFolder)
	unlisted := filepath.Join(r.dir, "passports", run)
	for _, dir := range []string{half, unlisted} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "stale"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start("") // the restart
	sealed := r.mustSeal()
	if _, err := os.Stat(filepath.Join(unlisted, "stale")); !os.IsNotExist(err) {
		t.Errorf("what the crash left is in the sealed folder: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(r.dir, "passports"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if name(r.read(filePassport)) != sealed.GetPassport() {
		t.Error("the folder is not the one that was listed")
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*rig, *governancev1.SealBomRequest)
		want   corev1.ErrorReason
	}{
		{"a run id that would be a path", func(_ *rig, q *governancev1.SealBomRequest) { q.RunId = "../../x" }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a short checkpoint digest", func(_ *rig, q *governancev1.SealBomRequest) { q.Checkpoint = q.GetCheckpoint()[:31] }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"no document", func(_ *rig, q *governancev1.SealBomRequest) { q.Document = nil }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a document with a key twice", func(_ *rig, q *governancev1.SealBomRequest) {
			q.Document = bytes.Replace(q.GetDocument(), []byte(`{`), []byte(`{"run":{},`), 1)
		}, corev1.ErrorReason_ERROR_REASON_JSON_DUPLICATE_KEY},
		{"a document without checkpoints", func(r *rig, q *governancev1.SealBomRequest) {
			q.Document = r.encode(map[string]any{"run": map[string]any{"state": "RUN_STATE_SUCCEEDED"}})
		}, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a run that still runs", func(r *rig, q *governancev1.SealBomRequest) {
			d := r.doc()
			d["run"] = map[string]any{"state": "RUN_STATE_RUNNING"}
			q.Document, q.AllowPartial = r.encode(d), true
		}, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED},
		{"an unknown checkpoint", func(_ *rig, q *governancev1.SealBomRequest) { q.Checkpoint = make([]byte, 32) }, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND},
		{"a checkpoint without files", func(r *rig, q *governancev1.SealBomRequest) {
			q.Checkpoint = r.register(bytes.Repeat([]byte{1}, 32), nil)
		}, corev1.ErrorReason_ERROR_REASON_MODEL_EMPTY},
		{"a missing blob", func(r *rig, q *governancev1.SealBomRequest) {
			q.Checkpoint = r.register(bytes.Repeat([]byte{2}, 32), []*corev1.FileRef{{Path: "a", Digest: make([]byte, 32)}})
		}, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING},
		{"a path that leaves the folder", func(r *rig, q *governancev1.SealBomRequest) {
			q.Checkpoint = r.register(bytes.Repeat([]byte{3}, 32), []*corev1.FileRef{{Path: "../a", Digest: make([]byte, 32)}})
		}, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT},
		{"a name that cannot be signed", func(r *rig, q *governancev1.SealBomRequest) {
			q.Checkpoint = r.checkpoint(map[string]string{"a\nb": "x"})
		}, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT},
		{"a key that is not there", func(_ *rig, q *governancev1.SealBomRequest) { q.KeyId = "absent" }, corev1.ErrorReason_ERROR_REASON_KEY_UNKNOWN},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			req := r.request()
			c.change(r, req)
			if _, err := r.seal(req); !rpc.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			r.nothingLeft()
		})
	}
}

func TestACorruptBlobIsNotSealed(t *testing.T) {
	r := newRig(t)
	req := r.request()
	d := sha256.Sum256([]byte("weights"))
	var found string
	err := filepath.WalkDir(filepath.Join(r.dir, "blobs"), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if b, err := os.ReadFile(path); err == nil && sha256.Sum256(b) == d {
				found = path
			}
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no blob of the weights, %v", err)
	}
	if err := os.Chmod(found, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found, []byte("Weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT) {
		t.Errorf("%v", err)
	}
	r.nothingLeft()
}

func TestAPartialRunSaysSo(t *testing.T) {
	for _, state := range []string{"failed", "cancelled", "stopped_by_gate"} {
		t.Run(state, func(t *testing.T) {
			r := newRig(t)
			doc := r.doc()
			doc["run"] = map[string]any{"state": "RUN_STATE_" + string(bytes.ToUpper([]byte(state)))}
			req := r.request()
			req.Document = r.encode(doc)
			if _, err := r.seal(req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) {
				t.Errorf("without allow_partial: %v", err)
			}
			req.AllowPartial = true
			if _, err := r.seal(req); err != nil {
				t.Fatal(err)
			}
			s, err := passport.DecodeStatement(r.read(filePassport))
			if err != nil || s.Predicate.RunState != state || s.Predicate.ModelID != "run-"+run {
				t.Errorf("%+v, %v", s.Predicate, err)
			}
			for _, f := range s.Predicate.RiskClaims {
				if f.Name == "partial_run" && f.State != "raised" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
