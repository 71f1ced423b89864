package ship

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
	"github.com/provenir/provenir/services/recorder/store"
)

func TestShipsWhatIsSealed(t *testing.T) {
	r := newRig(t, nil)
	run := r.run()
	r.write(run, 0, 600)
	sealed, _ := r.store.SealedSegments("acme", "run-1", ledger.Events)
	if sealed < 5 {
		t.Fatalf("%d sealed segments: the test needs more", sealed)
	}
	r.pass()
	for n := range uint64(sealed) {
		local, err := os.ReadFile(r.events(ledger.SegmentName(n)))
		if err != nil {
			t.Fatal(err)
		}
		if o, ok := r.s3.Get(inBucket + ledger.SegmentName(n)); !ok || !bytes.Equal(o.Data, local) {
			t.Errorf("segment %d is not there as it is here", n)
		}
	}
	if _, ok := r.s3.Get(inBucket + ledger.SegmentName(uint64(sealed))); ok {
		t.Error("the open segment was shipped")
	}
	if o, ok := r.s3.Get(inBucket + "tile/0/001"); !ok || len(o.Data) != 256*32 {
		t.Errorf("tile 1 of the leaves has %d bytes", len(o.Data))
	}
	r.s3.Calls()
	r.pass()
	if calls := r.s3.Calls(); len(calls) > 0 {
		t.Errorf("a pass with nothing to do asks for %v", calls)
	}

	r.write(run, 600, 601)
	r.seal(run)
	r.pass()
	if _, ok := r.s3.Get(inBucket + "tile/0/002.p/89"); !ok { // 601 = 2 × 256 + 89
		t.Errorf("the last tile of a sealed run is not there: %v", r.s3.Names())
	}
	o, ok := r.s3.Get(inBucket + "checkpoint.00000000000000000601")
	if c, _, err := ledger.OpenCheckpoint(o.Data, "provenir.dev/ledger/acme/run-1/events", r.keys); !ok || err != nil || c.Size != 601 {
		t.Errorf("the last checkpoint: %v, %v", c, err)
	}
	r.read(run, 601)
}

// The memory of what was shipped may be lost, or be older than the store: nothing is put twice, nothing is forgotten.
func TestRestart(t *testing.T) {
	for _, lost := range []string{"nothing", "all", "garbage"} {
		t.Run(lost, func(t *testing.T) {
			r := newRig(t, nil)
			r.write(r.run(), 0, 300)
			r.pass()
			before := r.s3.Names()
			r.stop()
			switch lost {
			case "all":
				if err := os.Remove(r.events(stateFile)); err != nil {
					t.Fatal(err)
				}
			case "garbage":
				if err := os.WriteFile(r.events(stateFile), []byte("{\"segment\":0}\nxx"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := r.restart()
			r.pass()
			if after := r.s3.Names(); !slices.Equal(before, after) {
				t.Errorf("names were %v, are %v", before, after)
			}
			r.write(run, 300, 500)
			r.pass()
			n, _ := r.store.SealedSegments("acme", "run-1", ledger.Events)
			if copies, err := readState(r.disk, "acme/run-1/events"); err != nil || len(copies) != n {
				t.Errorf("%d copies of %d segments, %v", len(copies), n, err)
			}
		})
	}
}

// A run that nobody opened since the start is shipped from its folder.
func TestRunThatIsNotOpen(t *testing.T) {
	keep := time.Hour
	r := newRig(t, &keep)
	run := r.run()
	r.write(run, 0, 300)
	r.seal(run)
	r.stop()
	r.start().pass()
	if _, ok := r.s3.Get(inBucket + ledger.SegmentName(0)); !ok {
		t.Fatal("it was not shipped")
	}
	r.clock.Advance(time.Hour)
	r.pass()
	if r.here(0) {
		t.Error("it stays although its time is over")
	}
	r.pass()
	r.s3.Calls()
	r.pass()
	if calls := r.s3.Calls(); len(calls) > 0 {
		t.Errorf("it is done, and asks for %v", calls)
	}
	r.read(r.run(), 300)
}

func TestStoreThatFails(t *testing.T) {
	faults := map[string]fakes3.Fault{
		"refuses":                      {Status: http.StatusServiceUnavailable},
		"takes it and says it did not": {Status: http.StatusInternalServerError, After: true},
		"has no checksums":             {NoSum: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			keep := time.Duration(0)
			r := newRig(t, &keep)
			run := r.run()
			r.write(run, 0, 300)
			r.s3.Fail(func(*http.Request) fakes3.Fault { return fault })
			for range 3 {
				if err := r.shipper.Pass(t.Context()); !errors.As(err, new(*unreachable)) {
					t.Fatalf("a pass ends with %v", err)
				}
			}
			if !r.here(0) {
				t.Fatal("a file was taken away although nobody confirmed its copy")
			}
			r.read(run, 300)
			r.s3.Fail(nil)
			r.pass()
			if r.here(0) {
				t.Error("the file stays after the store is back")
			}
			r.read(run, 300)
			if report := r.offline(); !report.OK() {
				t.Errorf("damages %v", report.Damages)
			}
		})
	}
}

// The first requests fail now and then, in any phase, carried out or not: in the end all is there, and no append has waited.
func TestStoreThatFailsNowAndThen(t *testing.T) {
	keep := time.Duration(0)
	r := newRig(t, &keep)
	run := r.run()
	n := 0
	r.s3.Fail(func(*http.Request) fakes3.Fault {
		if n++; n%3 == 1 && n < 40 {
			return fakes3.Fault{Status: http.StatusServiceUnavailable, After: n%2 == 0}
		}
		return fakes3.Fault{}
	})
	for at := uint64(0); at < 600; at += 100 {
		r.write(run, at, at+100)
		_ = r.shipper.Pass(t.Context())
	}
	for range 200 {
		if r.shipper.Pass(t.Context()) == nil {
			break
		}
	}
	r.s3.Fail(nil)
	r.pass()
	sealed, _ := r.store.SealedSegments("acme", "run-1", ledger.Events)
	copies, err := readState(r.disk, "acme/run-1/events")
	if err != nil || len(copies) != sealed {
		t.Fatalf("%d copies of %d, %v", len(copies), sealed, err)
	}
	r.read(run, 600)
}

// A store that hangs holds up nobody but the shipper.
func TestStoreThatHangs(t *testing.T) {
	r := newRig(t, nil)
	run := r.run()
	r.write(run, 0, 100)
	wait := make(chan struct{})
	r.s3.Fail(func(*http.Request) fakes3.Fault { return fakes3.Fault{Wait: wait} })
	done := make(chan error, 1)
	go func() { done <- r.shipper.Pass(t.Context()) }()
	r.write(run, 100, 400)
	r.read(run, 400)
	close(wait)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestSomethingElseUnderTheName(t *testing.T) {
	keep := time.Duration(0)
	r := newRig(t, &keep)
	r.s3.Set(inBucket+ledger.SegmentName(1), []byte("of another recorder"))
	run := r.run()
	r.write(run, 0, 300)
	r.pass() // it is told in the log and in a metric; the other runs go on
	if r.here(0) || !r.here(1) || !r.here(2) {
		t.Errorf("here: %v %v %v, want only the first gone", r.here(0), r.here(1), r.here(2))
	}
	if o, _ := r.s3.Get(inBucket + ledger.SegmentName(1)); string(o.Data) != "of another recorder" {
		t.Error("it was replaced")
	}
	r.read(run, 300)
}

func TestDamagedSegmentIsNotShipped(t *testing.T) {
	r := newRig(t, nil)
	r.write(r.run(), 0, 300)
	r.stop()
	flip(t, r.events(ledger.SegmentName(1)), 2000)
	r.restart()
	r.pass()
	if _, ok := r.s3.Get(inBucket + ledger.SegmentName(1)); ok {
		t.Error("it was shipped")
	}
}

func flip(t *testing.T, name string, at int) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is away is said to be unchecked; with the leaves in the tiles what is here is still checked against the signed root.
func TestVerifyWithoutTheFile(t *testing.T) {
	keep := time.Duration(0)
	r := newRig(t, &keep)
	run := r.run()
	r.write(run, 0, 600)
	r.seal(run)
	r.pass()
	report := r.offline()
	if !report.OK() || len(report.Away) == 0 || report.Records != 600 || report.Covered != 600 || report.Signature != ledger.SignatureVerified {
		t.Fatalf("records %d, covered %d, away %v, damages %v", report.Records, report.Covered, report.Away, report.Damages)
	}
	online, err := run.Log(ledger.Events).Verify(t.Context(), r.keys)
	if err != nil || !online.OK() || len(online.Away) > 0 || online.Root != report.Root || online.Covered != 600 {
		t.Fatalf("with the store: %+v, %v", online, err)
	}
	run = r.restart() // all segments are away, the last too
	r.read(run, 600)
	if err := run.Log(ledger.Events).Append(t.Context(), 0, []store.Record{{Seq: 600, Type: ledger.Rollout}}); store.KindOf(err) != store.Sealed {
		t.Errorf("append: %v", err)
	}
	proof, c, _, err := run.Log(ledger.Events).InclusionProof(3, 0)
	if leaf := ledger.NewEntry(3, ledger.Rollout, payload(3)).Leaf(); err != nil || ledger.CheckInclusion(proof, c.Size, c.Root, 3, leaf) != nil {
		t.Errorf("proof: %v", err)
	}
	r.stop()

	edits := map[string]func(){
		"a leaf in the tiles": func() { flip(t, r.events("tile/0"), 40) },
		"a mark":              func() { flip(t, r.events(ledger.AwayName(1)), 200) },
		"two marks swapped":   func() { swap(t, r.events(ledger.AwayName(0)), r.events(ledger.AwayName(1))) },
		"a mark is gone":      func() { _ = os.Remove(r.events(ledger.AwayName(1))) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			saved := save(t, r.events("."))
			edit()
			if report := r.offline(); report.OK() {
				t.Error("no damage found")
			}
			restore(t, r.events("."), saved)
		})
	}
	if err := os.RemoveAll(r.events("tile")); err != nil {
		t.Fatal(err)
	}
	if report := r.offline(); !report.OK() || report.Covered != 0 || len(report.Away) == 0 || report.Root != (ledger.Hash{}) {
		t.Errorf("without tiles: covered %d, damages %v", report.Covered, report.Damages)
	}
	r.read(r.start().run(), 600) // the tree comes back from the copies
}

func swap(t *testing.T, a, b string) {
	t.Helper()
	if err := errors.Join(os.Rename(a, a+".x"), os.Rename(b, a), os.Rename(a+".x", b)); err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func restore(t *testing.T, dir, from string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
}

func TestStoreGoneWhileItIsNeeded(t *testing.T) {
	keep := time.Duration(0)
	r := newRig(t, &keep)
	run := r.run()
	r.write(run, 0, 300)
	r.pass()
	for name, fault := range map[string]fakes3.Fault{"refuses": {Status: 503}, "breaks off": {Cut: 100}, "ignores ranges": {NoRange: true}} {
		t.Run(name, func(t *testing.T) {
			r.s3.Fail(func(q *http.Request) fakes3.Fault {
				if name == "ignores ranges" && strings.HasPrefix(q.Header.Get("Range"), "bytes=0-") {
					return fakes3.Fault{Status: 503}
				}
				return fault
			})
			kind := firstError(run)
			if kind != store.CopyAway {
				t.Errorf("reading ends with %q: a store that is away is no damage of the log", kind)
			}
		})
	}
	r.s3.Fail(func(q *http.Request) fakes3.Fault { return fakes3.Fault{Flip: q.Method == http.MethodGet} })
	if kind := firstError(run); kind != store.Corrupt {
		t.Errorf("wrong bytes read as %q", kind)
	}
	r.s3.Fail(nil)
	r.read(run, 300)
}

func firstError(run *store.Run) store.Kind {
	for _, err := range run.Log(ledger.Events).Events(context.Background(), store.Query{}) {
		if err != nil {
			return store.KindOf(err)
		}
	}
	return ""
}

func FuzzState(f *testing.F) {
	f.Add([]byte("{}\n"))
	line, err := json.Marshal(shipped{SHA256: strings.Repeat("0", 64), Root: strings.Repeat("0", 64)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(line, '\n'))
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, s := range parseState(b) {
			if _, ok := s.sum(); !ok || s.Segment != uint64(i) {
				t.Errorf("line %d: %+v", i, s)
			}
		}
	})
}
