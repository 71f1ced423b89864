package recorder

import (
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

// witness is a countersigner that remembers, as governance does.
type witness struct {
	id  *ledger.Cosigner
	key ed25519.PrivateKey

	mu     sync.Mutex
	last   map[string]ledger.Checkpoint
	asked  []*governancev1.CountersignCheckpointRequest
	broken func(ctx context.Context) error // nil for one that works
	forge  func(signed string) string      // nil for an honest one
}

func newWitness(t testing.TB) *witness {
	t.Helper()
	w := &witness{key: ed25519.NewKeyFromSeed([]byte(strings.Repeat("w", 32))), last: map[string]ledger.Checkpoint{}}
	var err error
	if w.id, err = ledger.NewCosigner("witness.test", w.key.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *witness) CountersignCheckpoint(ctx context.Context, in *governancev1.CountersignCheckpointRequest, _ ...grpc.CallOption) (*governancev1.CountersignCheckpointResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, in)
	if w.broken != nil {
		return nil, w.broken(ctx)
	}
	log, err := note.NewVerifier(in.GetVkey())
	if err != nil {
		return nil, err
	}
	c, _, err := ledger.OpenCheckpoint([]byte(in.GetNote()), "", note.VerifierList(log))
	if err != nil {
		return nil, err
	}
	last, known := w.last[c.Origin]
	if known && c.Size > last.Size && last.Size > 0 {
		if in.GetOldSize() != last.Size {
			return &governancev1.CountersignCheckpointResponse{NeedOldSize: &last.Size}, nil
		}
		proof := make([]ledger.Hash, len(in.GetConsistency()))
		for i, h := range in.GetConsistency() {
			proof[i] = ledger.Hash(h)
		}
		err = ledger.CheckConsistency(proof, c.Size, c.Root, last.Size, last.Root)
	}
	if err != nil || known && (c.Size < last.Size || c.Size == last.Size && c.Root != last.Root) {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT, "%s was another one before", c.Origin)
	}
	w.last[c.Origin] = c
	both, err := ledger.Cosign([]byte(in.GetNote()), w.id, w.key, time.Unix(1_700_000_000, 0))
	if err != nil {
		return nil, err
	}
	signed := string(both)
	if w.forge != nil {
		signed = w.forge(signed)
	}
	return &governancev1.CountersignCheckpointResponse{Cosigned: signed}, nil
}

func (w *witness) set(broken func(context.Context) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = broken
}

func (w *witness) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

func (r *rig) sealRun(run string) *recorderv1.SealRunResponse {
	r.t.Helper()
	resp, err := r.client.SealRun(r.t.Context(), &recorderv1.SealRunRequest{Run: run, Epoch: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

func cosignedOf(resp *recorderv1.SealRunResponse) (n int) {
	for _, c := range resp.GetCheckpoints() {
		if c.GetCosigned() {
			n++
		}
	}
	return n
}

func TestASealIsCosigned(t *testing.T) {
	r, w := newRig(t), newWitness(t)
	r.countersigner = w
	r.start()
	r.write("run1", 1, runRecords(t, 3, blowup(1)))
	sealed := r.sealRun("run1")
	if cosignedOf(sealed) != 3 {
		t.Fatalf("%v", sealed)
	}
	asked := w.calls()
	r.restart()
	again := r.sealRun("run1")
	for i, c := range again.GetCheckpoints() {
		if c.GetNote() != sealed.GetCheckpoints()[i].GetNote() || !c.GetCosigned() {
			t.Errorf("sealed again: %v, was %v", c, sealed.GetCheckpoints()[i])
		}
	}
	got, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run1"})
	if err != nil || !got.GetCheckpoint().GetCosigned() || w.calls() != asked {
		t.Errorf("after a restart: %v, %v; asked %d times, then %d", got, err, asked, w.calls())
	}
	r.stop()
	reports, err := ledger.VerifyRun(t.Context(), os.DirFS(filepath.Join(r.root, "ledger", "default", "run1")),
		ledger.VerifyOptions{Keys: r.service.verifiers, Cosigners: note.VerifierList(w.id)})
	if err != nil || len(reports) != 3 {
		t.Fatalf("%v, %v", reports, err)
	}
	for _, rep := range reports {
		if !rep.OK() || len(rep.Cosigners) != 1 || rep.Cosigners[0] != "witness.test" {
			t.Errorf("%s: cosigners %v, damages %v", rep.Log, rep.Cosigners, rep.Damages)
		}
	}
}

// A run ends whether or not somebody cosigns it; what is missing is said, and can be made up for.
func TestASealDoesNotFailForWantOfACosignature(t *testing.T) {
	away := func(context.Context) error {
		return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "no governance")
	}
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name   string
		broken func(context.Context) error
		asked  int
	}{
		{"away", away, 1}, // not asked for the other logs
		{"hangs", hangs, 1},
		{"refuses", func(context.Context) error {
			return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT, "a fork")
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, w := newRig(t), newWitness(t)
			r.countersigner, r.cfg.CosignWait = w, 20*time.Millisecond
			w.set(c.broken)
			r.start()
			r.write("run1", 1, runRecords(t, 3, calm))
			sealed := r.sealRun("run1")
			if cosignedOf(sealed) != 0 || len(sealed.GetCheckpoints()) != 3 || w.calls() != c.asked {
				t.Fatalf("%v; asked %d times, want %d", sealed, w.calls(), c.asked)
			}
			w.set(nil)
			r.service.cfg.CosignWait = time.Minute
			if again := r.sealRun("run1"); cosignedOf(again) != 3 {
				t.Errorf("after it came back: %v", again)
			}
		})
	}
	t.Run("none is connected", func(t *testing.T) {
		r := newRig(t).start()
		r.write("run1", 1, runRecords(t, 3, calm))
		if sealed := r.sealRun("run1"); cosignedOf(sealed) != 0 || len(sealed.GetCheckpoints()) != 3 {
			t.Errorf("%v", sealed)
		}
	})
}

// While a run lives its checkpoints are cosigned once a minute, each with the proof that it continues the one before.
func TestALivingRunIsCosignedOnceAMinute(t *testing.T) {
	r, w, now := newRig(t), newWitness(t), armed{clock.NewFake(time.Unix(1_700_000_000, 0)), make(chan struct{}, 1)}
	r.countersigner, r.clock = w, now
	r.cfg.Tick = 24 * time.Hour
	r.cfg.Store.CheckpointRecords = 1
	r.start()
	<-now.rounds
	recs := runRecords(t, 8, calm)
	r.signed(recs[:20])
	events := ledger.Origin("default", "run1", ledger.Events)
	seen := func() ledger.Checkpoint {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.last[events]
	}
	if w.calls() != 0 {
		t.Fatal("asked before a minute was over")
	}
	now.minute()
	first := seen()
	if first.Size != 20 {
		t.Fatalf("cosigned at %d records, want 20", first.Size)
	}
	got, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run1"})
	if err != nil || !got.GetCheckpoint().GetCosigned() {
		t.Errorf("%v, %v", got, err)
	}
	r.signed(recs[20:40])
	got, err = r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run1"})
	if err != nil || got.GetCheckpoint().GetCosigned() {
		t.Errorf("what nobody has seen yet is shown as cosigned: %v, %v", got, err)
	}
	now.minute()
	if second := seen(); second.Size != 40 {
		t.Errorf("cosigned at %d records, want 40", second.Size)
	}
	r.restart() // it no longer knows what was seen, and is told
	<-now.rounds
	r.signed(recs[40:60])
	now.minute()
	if third := seen(); third.Size != 60 {
		t.Errorf("cosigned at %d records, want 60", third.Size)
	}
}

// signed writes records and waits for their checkpoint: a commit is acknowledged before it is signed.
func (r *rig) signed(recs []*recorderv1.Record) {
	r.t.Helper()
	r.write("run1", 1, recs)
	l, err := r.service.get(r.t.Context(), "default", "run1", false)
	if err == nil {
		err = l.log(ledger.Events).Flush(r.t.Context())
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// armed is a clock that tells when the loop of cosignatures waits for its next minute.
type armed struct {
	*clock.Fake
	rounds chan struct{}
}

func (a armed) NewTimer(d time.Duration) clock.Timer {
	t := a.Fake.NewTimer(d)
	if d == time.Minute {
		a.rounds <- struct{}{}
	}
	return t
}

// minute lets one round begin and end.
func (a armed) minute() {
	a.Advance(time.Minute)
	<-a.rounds
}

// A writer goes on while a countersigner hangs.
func TestNobodyWaitsForACosignatureWhileARunLives(t *testing.T) {
	r, w := newRig(t), newWitness(t)
	r.countersigner, r.cfg.CosignEvery = w, time.Millisecond
	release := make(chan struct{})
	w.set(func(ctx context.Context) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "gone")
	})
	defer close(release)
	r.start()
	recs := runRecords(t, 4, calm)
	r.write("run1", 1, recs[:10])
	r.write("run1", 1, recs[10:]) // would never return if it waited
}

func TestALogThatContradictsItsCountersignerIsAFinding(t *testing.T) {
	r, w := newRig(t), newWitness(t)
	r.countersigner = w
	r.start()
	origin := ledger.Origin("default", "run1", ledger.Events)
	w.last[origin] = ledger.Checkpoint{Origin: origin, Size: 10_000, Root: ledger.Hash{1}} // the log was longer once
	r.write("run1", 1, runRecords(t, 3, calm))
	sealed := r.sealRun("run1")
	if cosignedOf(sealed) != 2 || sealed.GetCheckpoints()[0].GetCosigned() {
		t.Errorf("%v", sealed)
	}
	for _, m := range r.stream.await(t, 1) {
		if strings.Contains(m.Subject, ".critical.ledger.") {
			return
		}
	}
	t.Errorf("published: %v", r.stream.await(t, 1))
}

// What comes back must be our own bytes with a signature more.
func TestAForgedCosignatureIsNotKept(t *testing.T) {
	for _, c := range []struct {
		name  string
		forge func(string) string
	}{
		{"nothing is added", func(s string) string { return s[:strings.LastIndex(strings.TrimSuffix(s, "\n"), "\n")+1] }},
		{"another size", func(s string) string { return strings.Replace(s, "\n1\n", "\n2\n", 1) }},
		{"our signature is gone", func(s string) string {
			head, sigs, _ := strings.Cut(s, "\n\n")
			_, rest, _ := strings.Cut(sigs, "\n")
			return head + "\n\n" + rest
		}},
		{"empty", func(string) string { return "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, w := newRig(t), newWitness(t)
			r.countersigner, w.forge = w, c.forge
			r.start()
			r.write("run1", 1, runRecords(t, 1, calm)[:1])
			l, err := r.service.get(t.Context(), "default", "run1", false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run1"}); err != nil {
				t.Fatal(err)
			}
			if err := l.countersign(t.Context()); err == nil || !strings.Contains(err.Error(), "not the one that was sent") {
				t.Errorf("%v", err)
			}
			got, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run1"})
			if err != nil || got.GetCheckpoint().GetCosigned() {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
