package governance

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

// tree is a log in memory whose records are named after it.
type tree struct {
	t      *testing.T
	hashes []tlog.Hash
	size   int64
}

func (x *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = x.hashes[n]
	}
	return out, nil
}

func grow(t *testing.T, name string, size int64) *tree {
	t.Helper()
	x := &tree{t: t, size: size}
	for n := range size {
		more, err := tlog.StoredHashes(n, fmt.Appendf(nil, "%s %d", name, n), x)
		if err != nil {
			t.Fatal(err)
		}
		x.hashes = append(x.hashes, more...)
	}
	return x
}

func (x *tree) root(size int64) ledger.Hash {
	x.t.Helper()
	if size == 0 {
		return sha256.Sum256(nil)
	}
	h, err := tlog.TreeHash(size, x)
	if err != nil {
		x.t.Fatal(err)
	}
	return h
}

func (x *tree) proof(old, size int64) [][]byte {
	x.t.Helper()
	hashes, err := tlog.ProveTree(size, old, x)
	if err != nil {
		x.t.Fatal(err)
	}
	var out [][]byte
	for _, h := range hashes {
		out = append(out, h[:])
	}
	return out
}

func (r *rig) countersign(x *tree, old, size int64) (*governancev1.CountersignCheckpointResponse, error) {
	r.t.Helper()
	req := &governancev1.CountersignCheckpointRequest{Note: r.note("default", run, ledger.Events, uint64(size), x.root(size)), Vkey: r.vkey, OldSize: uint64(old)}
	if old > 0 && old <= size {
		req.Consistency = x.proof(old, size)
	}
	return r.client.CountersignCheckpoint(r.t.Context(), req)
}

// cosigned checks an answer as an outsider does: with the public key that lies beside the private one.
func (r *rig) cosigned(resp *governancev1.CountersignCheckpointResponse, err error) {
	r.t.Helper()
	if err != nil || resp.NeedOldSize != nil {
		r.t.Fatalf("%v, %v", resp, err)
	}
	b, err := os.ReadFile(filepath.Join(r.dir, "keys", "cosigner.vkey"))
	if err != nil {
		r.t.Fatal(err)
	}
	witness, err := ledger.ParseCosigner(string(b))
	if err != nil {
		r.t.Fatal(err)
	}
	_, n, err := ledger.OpenCheckpoint([]byte(resp.GetCosigned()), ledger.Origin("default", run, ledger.Events), note.VerifierList(witness))
	if err != nil {
		r.t.Fatal(err)
	}
	if at, err := witness.Time(n.Sigs[0]); err != nil || !at.Equal(r.clock.Now()) {
		r.t.Errorf("seen at %v, %v", at, err)
	}
	log, err := note.NewVerifier(r.vkey)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, _, err := ledger.OpenCheckpoint([]byte(resp.GetCosigned()), "", note.VerifierList(log)); err != nil {
		r.t.Errorf("the log's own signature is lost: %v", err)
	}
}

func TestALogThatGrowsIsCosigned(t *testing.T) {
	r, x := newRig(t), grow(t, "log", 40)
	r.cosigned(r.countersign(x, 0, 0))
	r.cosigned(r.countersign(x, 0, 7))
	r.cosigned(r.countersign(x, 7, 21))
	r.cosigned(r.countersign(x, 21, 21)) // the same again
	r.cosigned(r.countersign(x, 0, 21))  // also by who does not know that it was seen
	r.start("")                          // the memory and the key are on disk
	r.cosigned(r.countersign(x, 21, 40))
	info, err := os.Stat(filepath.Join(r.dir, "keys", "cosigner.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is for others to read: %v, %v", info, err)
	}
}

func TestTheProofMustStartAtTheLastOne(t *testing.T) {
	r, x := newRig(t), grow(t, "log", 30)
	if got, err := r.countersign(x, 5, 9); err != nil || got.NeedOldSize == nil || got.GetNeedOldSize() != 0 || got.GetCosigned() != "" {
		t.Errorf("before the first: %v, %v", got, err)
	}
	r.cosigned(r.countersign(x, 0, 10))
	for _, old := range []int64{0, 9, 11} {
		if got, err := r.countersign(x, old, 20); err != nil || got.NeedOldSize == nil || got.GetNeedOldSize() != 10 || got.GetCosigned() != "" {
			t.Errorf("from %d: %v, %v", old, got, err)
		}
	}
	r.cosigned(r.countersign(x, 10, 20))
}

func TestForksFindNoCosignature(t *testing.T) {
	r, x, fork := newRig(t), grow(t, "log", 40), grow(t, "fork", 40)
	r.cosigned(r.countersign(x, 0, 20))
	_, foreign, err := note.GenerateKey(nil, "provenir.dev/recorder")
	if err != nil {
		t.Fatal(err)
	}
	good := func(size int64) *governancev1.CountersignCheckpointRequest {
		return &governancev1.CountersignCheckpointRequest{Vkey: r.vkey, OldSize: 20, Consistency: x.proof(20, size),
			Note: r.note("default", run, ledger.Events, uint64(size), x.root(size))}
	}
	inconsistent := corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT
	for _, c := range []struct {
		name   string
		change func(*governancev1.CountersignCheckpointRequest)
		want   corev1.ErrorReason
	}{
		{"another root at the same size", func(q *governancev1.CountersignCheckpointRequest) {
			q.Note = r.note("default", run, ledger.Events, 20, fork.root(20))
		}, inconsistent},
		{"a rewritten log that grew", func(q *governancev1.CountersignCheckpointRequest) {
			q.Note, q.Consistency = r.note("default", run, ledger.Events, 30, fork.root(30)), fork.proof(20, 30)
		}, inconsistent},
		{"rolled back", func(q *governancev1.CountersignCheckpointRequest) {
			q.Note = r.note("default", run, ledger.Events, 19, x.root(19))
		}, inconsistent},
		{"rolled back to nothing", func(q *governancev1.CountersignCheckpointRequest) {
			q.Note = r.note("default", run, ledger.Events, 0, x.root(0))
		}, inconsistent},
		{"no proof", func(q *governancev1.CountersignCheckpointRequest) { q.Consistency = nil }, inconsistent},
		{"half a proof", func(q *governancev1.CountersignCheckpointRequest) { q.Consistency = q.Consistency[:1] }, inconsistent},
		{"a proof with a hash too many", func(q *governancev1.CountersignCheckpointRequest) {
			q.Consistency = append(q.Consistency, make([]byte, 32))
		}, inconsistent},
		{"a hash of 31 bytes", func(q *governancev1.CountersignCheckpointRequest) { q.Consistency[0] = q.Consistency[0][:31] },
			corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"another key", func(q *governancev1.CountersignCheckpointRequest) { q.Vkey = foreign }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"no key", func(q *governancev1.CountersignCheckpointRequest) { q.Vkey = "" }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"no note", func(q *governancev1.CountersignCheckpointRequest) { q.Note = "x" }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a log of another tenant", func(q *governancev1.CountersignCheckpointRequest) {
			q.Note = r.note("acme", run, ledger.Events, 30, x.root(30))
		}, corev1.ErrorReason_ERROR_REASON_PERMISSION_DENIED},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := good(30)
			c.change(q)
			got, err := r.client.CountersignCheckpoint(t.Context(), q)
			if !rpc.Is(err, c.want) || got.GetCosigned() != "" {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
	r.cosigned(r.client.CountersignCheckpoint(t.Context(), good(40))) // the true log goes on
}

// The log's key is taken with its first checkpoint: who has another one cannot go on with the log.
func TestTheLogsKeyIsKept(t *testing.T) {
	r, x := newRig(t), grow(t, "log", 9)
	r.cosigned(r.countersign(x, 0, 4))
	skey, vkey, err := note.GenerateKey(nil, "provenir.dev/recorder")
	if err != nil {
		t.Fatal(err)
	}
	if r.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	r.vkey = vkey
	if got, err := r.countersign(x, 4, 9); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT) {
		t.Errorf("%v, %v", got, err)
	}
}

// Of two continuations that come at once, both true, each is cosigned or told where to start.
func TestCheckpointsAtOnce(t *testing.T) {
	r, x := newRig(t), grow(t, "log", 12)
	r.cosigned(r.countersign(x, 0, 4))
	var wg sync.WaitGroup
	for size := int64(5); size <= 12; size++ {
		q := &governancev1.CountersignCheckpointRequest{Vkey: r.vkey, OldSize: 4, Consistency: x.proof(4, size),
			Note: r.note("default", run, ledger.Events, uint64(size), x.root(size))}
		wg.Go(func() {
			got, err := r.client.CountersignCheckpoint(t.Context(), q)
			rolled := rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT)
			if err != nil && !rolled || err == nil && got.NeedOldSize == nil && got.GetCosigned() == "" {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

func TestTheCosignerIsUnderThePassphrase(t *testing.T) {
	r, x := newRig(t), grow(t, "log", 3)
	r.start("correct horse")
	r.cosigned(r.countersign(x, 0, 2))
	if _, err := os.Stat(filepath.Join(r.dir, "keys", "cosigner.pem.age")); err != nil {
		t.Error(err)
	}
	r.start("")
	if _, err := r.countersign(x, 2, 3); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_KEY_LOCKED) {
		t.Errorf("without the passphrase: %v", err)
	}
}
