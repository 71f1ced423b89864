package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what testing.T and rapid.T share.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// rig is one recorder's store on a folder that outlives it.
type rig struct {
	t     tester
	root  string
	disk  *faulty.FS
	cfg   Config
	clock clock.Clock
	store *Store
	deps  func(*Deps)
}

var keysOnce struct {
	sync.Once
	signer note.Signer
	keys   note.Verifiers
}

// testKeys are the same for all tests: making them takes longer than most of what is done with them.
func testKeys(t tester) (note.Signer, note.Verifiers) {
	t.Helper()
	keysOnce.Do(func() { keysOnce.signer, keysOnce.keys = makeKeys(t) })
	return keysOnce.signer, keysOnce.keys
}

func makeKeys(t tester) (note.Signer, note.Verifiers) {
	t.Helper()
	seed := sha256.Sum256([]byte("recorder.test"))
	skey, vkey, err := note.GenerateKey(strings.NewReader(string(seed[:])), "recorder.test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, note.VerifierList(v)
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, root: t.TempDir(), cfg: cfg, clock: clock.System{}}
	if r.cfg.Reserve == 0 {
		r.cfg.Reserve = -1 // most tests have no use for 64 MiB of blocks
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rig) start() *Store {
	r.t.Helper()
	d, err := disk.OpenDir(r.root)
	if err != nil {
		r.t.Fatal(err)
	}
	r.disk = faulty.New(d)
	r.disk.Set(faulty.Rules{Room: -1, SkipSyncs: true})
	signer, _ := testKeys(r.t)
	deps := Deps{Disk: r.disk, Clock: r.clock, Signer: signer}
	if r.deps != nil {
		r.deps(&deps)
	}
	r.store, err = Open(r.cfg, deps)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.store
}

func (r *rig) stop() {
	if r.store != nil {
		if err := r.store.Close(); err != nil {
			r.t.Logf("close: %v", err)
		}
		r.store = nil
	}
}

// restart stops the store and opens it again.
func (r *rig) restart() *Run {
	r.t.Helper()
	r.stop()
	r.start()
	return r.run()
}

func (r *rig) run() *Run {
	r.t.Helper()
	if r.store == nil {
		r.start()
	}
	run, err := r.store.Run(context.Background(), "acme", "run-1", true)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

// record is a record that depends on its number only, so that any two writers make the same.
func record(seq uint64) Record {
	types := []ledger.RecordType{ledger.Rollout, ledger.Rollout, ledger.Verdict, ledger.Step}
	return Record{
		Seq: seq, Type: types[seq%4], Payload: fmt.Appendf(nil, "payload %d %s", seq, strings.Repeat("x", int(seq%50))),
		Volatile: fmt.Appendf(nil, "took %d ms", seq),
	}
}

func records(from, to uint64) []Record {
	var recs []Record
	for seq := from; seq < to; seq++ {
		recs = append(recs, record(seq))
	}
	return recs
}

// write appends and waits.
func write(t tester, run *Run, from, to uint64) {
	t.Helper()
	l := run.Log(ledger.Events)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for i, at := 0, from; at < to; i, at = i+1, at+50 {
		if err := l.Append(ctx, run.Epoch(), records(at, min(at+50, to))); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 { // batches of at most 100 records, so that small segments do roll
			if err := l.Sync(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Sync(ctx); err != nil {
		t.Fatal(err)
	}
}

// rootOf is the root that n records must have, computed apart from the store.
func rootOf(n uint64) ledger.Hash {
	var tree ledger.Tree
	for seq := range n {
		r := record(seq)
		tree.Append(ledger.NewEntry(seq, r.Type, r.Payload).Leaf())
	}
	return tree.Root()
}

// check reads all events back and verifies the log.
func check(t tester, run *Run, n uint64) {
	t.Helper()
	l := run.Log(ledger.Events)
	seq := uint64(0)
	for f, err := range l.Events(context.Background(), Query{}) {
		if err != nil {
			t.Fatalf("read record %d: %v", seq, err)
		}
		if want := record(seq); f.Seq != seq || f.Type != want.Type || string(f.Stored) != string(want.Payload) {
			t.Fatalf("record %d reads as %d %s %q", seq, f.Seq, f.Type, f.Stored)
		}
		seq++
	}
	if seq != n {
		t.Fatalf("%d records, want %d", seq, n)
	}
	_, keys := testKeys(t)
	report, err := l.Verify(context.Background(), keys)
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() || report.Records != n || report.Covered != n || report.Signature != ledger.SignatureVerified {
		t.Fatalf("records %d, covered %d, signature %s, damages %v", report.Records, report.Covered, report.Signature, report.Damages)
	}
	if report.Root != rootOf(n) {
		t.Fatalf("the root of %d records is not the one of an undisturbed run", n)
	}
}
