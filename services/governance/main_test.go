package governance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const run = "06e8kq3vn5tz7y2m4c6w8x2a4a" // as idgen writes them

// trainer knows checkpoints by digest, as the real one does, and counts how often it is asked.
type trainer struct {
	trainerv1.UnimplementedTrainerServiceServer
	mu    sync.Mutex
	files map[string][]*corev1.FileRef
	asked int
}

func (f *trainer) GetCheckpoint(_ context.Context, req *trainerv1.GetCheckpointRequest) (*trainerv1.GetCheckpointResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	files, ok := f.files[req.GetCheckpoint()]
	if !ok {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND, "no checkpoint %s", req.GetCheckpoint())
	}
	return &trainerv1.GetCheckpointResponse{Checkpoint: &trainerv1.Checkpoint{Files: files}}, nil
}

// rig is governance on a folder that outlives it.
type rig struct {
	t       *testing.T
	dir     string
	trainer *trainer
	blobs   *blob.Store
	db      *store.DB
	clock   *clock.Fake
	service *Service
	client  governancev1.GovernanceServiceClient
	signer  note.Signer
	vkey    string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), trainer: &trainer{files: map[string][]*corev1.FileRef{}}, clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
	skey, vkey, err := note.GenerateKey(nil, "provenir.dev/recorder")
	if err != nil {
		t.Fatal(err)
	}
	if r.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	r.vkey = vkey
	if r.blobs, err = blob.Open(filepath.Join(r.dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	if r.db, err = store.Open(t.Context(), filepath.Join(r.dir, "governance.db"), Migrations()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	r.start("")
	return r
}

// start serves governance on the rig's folder; a second time is a restart.
func (r *rig) start(passphrase string) {
	r.t.Helper()
	conn := grpctest.Serve(r.t, func(s grpc.ServiceRegistrar) { trainerv1.RegisterTrainerServiceServer(s, r.trainer) })
	s, err := New(Config{Dir: filepath.Join(r.dir, "passports"), KeyDir: filepath.Join(r.dir, "keys"), Passphrase: passphrase},
		Deps{DB: r.db, Blobs: r.blobs, Trainer: trainerv1.NewTrainerServiceClient(conn), Clock: r.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.service = s
	r.client = governancev1.NewGovernanceServiceClient(grpctest.Serve(r.t, s.Register))
}

// checkpoint stores a model's files and gives its digest.
func (r *rig) checkpoint(files map[string]string) []byte {
	r.t.Helper()
	h := sha256.New()
	var refs []*corev1.FileRef
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d, size, err := r.blobs.Put(r.t.Context(), strings.NewReader(files[name]), nil)
		if err != nil {
			r.t.Fatal(err)
		}
		h.Write(d[:])
		refs = append(refs, &corev1.FileRef{Path: name, Digest: d[:], SizeBytes: uint64(size)})
	}
	return r.register(h.Sum(nil), refs)
}

func (r *rig) register(digest []byte, refs []*corev1.FileRef) []byte {
	r.trainer.mu.Lock()
	defer r.trainer.mu.Unlock()
	r.trainer.files[hex.EncodeToString(digest)] = refs
	return digest
}

func (r *rig) note(tenant, run string, log ledger.Log, size uint64, root ledger.Hash) string {
	r.t.Helper()
	b, err := ledger.Checkpoint{Origin: ledger.Origin(tenant, run, log), Size: size, Root: root}.Sign(r.signer)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// doc is what the orchestrator sends of a run that ended well; a test changes it before it is written.
func (r *rig) doc() map[string]any {
	var checkpoints []any
	for i, l := range ledger.Logs {
		root := ledger.Hash(sha256.Sum256([]byte(l.String())))
		checkpoints = append(checkpoints, map[string]any{"log": "LOG_" + map[ledger.Log]string{ledger.Events: "EVENTS", ledger.Findings: "FINDINGS", ledger.Timing: "TIMING"}[l],
			"size": 10 * (i + 1), "root": "sha256:" + hex.EncodeToString(root[:]), "note": r.note("default", run, l, uint64(10*(i+1)), root), "cosigned": false})
	}
	return map[string]any{"run": map[string]any{"name": "org/name", "state": "RUN_STATE_SUCCEEDED", "contaminated": false},
		"ledger": map[string]any{"vkey": r.vkey, "checkpoints": checkpoints}, "health": map[string]any{"counts": []any{}}}
}

func (r *rig) encode(doc map[string]any) []byte {
	r.t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

var weights = map[string]string{"config.json": "{}", "model.safetensors": "weights", "tokenizer/vocabulary.txt": "a\n"}

func (r *rig) request() *governancev1.SealBomRequest {
	return &governancev1.SealBomRequest{RunId: run, Checkpoint: r.checkpoint(weights), Document: r.encode(r.doc())}
}

func (r *rig) seal(req *governancev1.SealBomRequest) (*governancev1.SealedBom, error) {
	r.t.Helper()
	resp, err := r.client.SealBom(r.t.Context(), req)
	if err != nil {
		return nil, err
	}
	out := &governancev1.SealedBom{}
	if err := resp.GetOperation().GetResponse().UnmarshalTo(out); err != nil || !resp.GetOperation().GetDone() {
		r.t.Fatalf("operation %v, %v", resp.GetOperation(), err)
	}
	return out, nil
}

func (r *rig) mustSeal() *governancev1.SealedBom {
	r.t.Helper()
	out, err := r.seal(r.request())
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) read(name string) []byte {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "passports", run, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

// nothingLeft: what failed leaves no folder behind, whole or half.
func (r *rig) nothingLeft() {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, "passports"))
	if err != nil || len(entries) != 0 {
		r.t.Errorf("left behind: %v, %v", entries, err)
	}
}
