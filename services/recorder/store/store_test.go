package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

func TestWriteReadVerify(t *testing.T) {
	tests := []struct {
		name     string
		cfg      Config
		n        uint64
		restarts []uint64 // records after which the recorder is restarted
	}{
		{"one segment", Config{}, 500, nil},
		{"restarts", Config{}, 500, []uint64{1, 64, 300}},
		{"many segments", Config{SegmentBytes: 8192, CheckpointRecords: 50}, 2000, []uint64{700, 1999}},
		{"tiny batches", Config{BatchRecords: 3, SegmentBytes: 4096}, 300, []uint64{100, 101, 102}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.cfg)
			at := uint64(0)
			for _, stop := range append(tt.restarts, tt.n) {
				run := r.restart()
				if next := run.Log(ledger.Events).Next(); next != at {
					t.Fatalf("after a restart record %d is next, want %d", next, at)
				}
				write(t, run, at, stop)
				at = stop
			}
			check(t, r.run(), tt.n)
			check(t, r.restart(), tt.n)
		})
	}
}

type noBlobs struct{}

func (noBlobs) Has(context.Context, [32]byte) (bool, error) { return false, nil }

func (noBlobs) OpenHere(context.Context, [32]byte) (io.ReadSeekCloser, int64, error) {
	return nil, 0, fs.ErrNotExist
}

func (noBlobs) Restore(context.Context, [32]byte, io.Reader) error { return fs.ErrNotExist }

func TestAppendRules(t *testing.T) {
	other := record(3)
	other.Payload = []byte("something else")
	otherType := record(3)
	otherType.Type = ledger.Gate
	tests := []struct {
		name  string
		epoch uint64
		recs  []Record
		want  Kind
		next  uint64
	}{
		{"next", 5, records(10, 12), "", 12},
		{"replay", 5, records(2, 10), "", 10},
		{"replay and more", 5, records(7, 13), "", 13},
		{"replay twice", 5, append(records(2, 5), records(2, 5)...), "", 10},
		{"other payload", 5, []Record{other}, DivergentReplay, 10},
		{"other type", 5, []Record{otherType}, DivergentReplay, 10},
		{"ahead", 5, records(11, 12), OutOfOrder, 10},
		{"gap inside", 5, []Record{record(10), record(12)}, OutOfOrder, 11},
		{"lower epoch", 4, records(10, 12), LeaseLost, 10},
		{"no type", 5, []Record{{Seq: 10}}, Invalid, 10},
		{"too large", 5, []Record{{Seq: 10, Type: ledger.Rollout, Payload: make([]byte, MaxInline+1)}}, TooLarge, 10},
		{"blob that is not there", 5, []Record{{Seq: 10, Type: ledger.Rollout, Blob: &Blob{Size: 1 << 20}}}, BlobMissing, 10},
		{"blob and payload", 5, []Record{{Seq: 10, Type: ledger.Rollout, Blob: &Blob{}, Payload: []byte("x")}}, Invalid, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{})
			r.deps = func(d *Deps) { d.Blobs = noBlobs{} }
			run := r.run()
			if err := run.Claim(5); err != nil {
				t.Fatal(err)
			}
			write(t, run, 0, 10)
			l := run.Log(ledger.Events)
			err := l.Append(t.Context(), tt.epoch, tt.recs)
			if KindOf(err) != tt.want || (err != nil) != (tt.want != "") {
				t.Fatalf("error %v, want kind %q", err, tt.want)
			}
			if err := l.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if l.Next() != tt.next || l.Durable() != tt.next {
				t.Errorf("next %d, durable %d, want %d", l.Next(), l.Durable(), tt.next)
			}
		})
	}
}

func TestFenceSurvivesRestart(t *testing.T) {
	r := newRig(t, Config{})
	run := r.run()
	for _, epoch := range []uint64{3, 3, 9} {
		if err := run.Claim(epoch); err != nil {
			t.Fatal(err)
		}
	}
	run = r.restart()
	if err := run.Claim(8); KindOf(err) != LeaseLost {
		t.Errorf("a lower epoch after a restart: %v", err)
	}
	if err := run.Log(ledger.Events).Append(t.Context(), 8, records(0, 1)); KindOf(err) != LeaseLost {
		t.Errorf("an append under it: %v", err)
	}
	write(t, run, 0, 3)
}

func TestTwoRecordersOneFolder(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	d, err := disk.OpenDir(r.root)
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := testKeys(t)
	if _, err := Open(Config{Reserve: -1}, Deps{Disk: d, Signer: signer}); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second recorder: %v", err)
	}
}

func TestRunNames(t *testing.T) {
	s := newRig(t, Config{}).start()
	for _, name := range []string{"", "..", "../x", "a/b", ".hidden", strings.Repeat("x", 65)} {
		if _, err := s.Run(t.Context(), "acme", name, true); KindOf(err) != Invalid {
			t.Errorf("run %q: %v", name, err)
		}
	}
	if _, err := s.Run(t.Context(), "acme", "unknown", false); KindOf(err) != NotFound {
		t.Errorf("unknown run: %v", err)
	}
	if _, err := s.Run(t.Context(), "acme", "known", true); err != nil {
		t.Fatal(err)
	}
	if runs, err := s.Runs(); err != nil || len(runs) != 1 || runs[0] != [2]string{"acme", "known"} {
		t.Errorf("runs %v, %v", runs, err)
	}
}

// Nothing but the segments is needed: indexes, tiles and the newest checkpoint come back.
func TestEverythingElseCanBeDeleted(t *testing.T) {
	r := newRig(t, Config{SegmentBytes: 16 << 10, CheckpointRecords: 100})
	write(t, r.run(), 0, 2000)
	r.stop()
	dir := filepath.Join(r.root, "acme", "run-1", "events")
	for _, pattern := range []string{"*.idx", "checkpoint", "tile"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("nothing to delete for %s", pattern)
		}
		for _, p := range paths {
			if err := os.RemoveAll(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	run := r.run()
	check(t, run, 2000)
	proof, c, _, err := run.Log(ledger.Events).InclusionProof(1234, 0)
	if err != nil {
		t.Fatal(err)
	}
	rec := record(1234)
	if err := ledger.CheckInclusion(proof, c.Size, c.Root, 1234, ledger.NewEntry(1234, rec.Type, rec.Payload).Leaf()); err != nil {
		t.Error(err)
	}
	write(t, run, 2000, 2100)
	check(t, r.restart(), 2100)
}

func TestProofs(t *testing.T) {
	r := newRig(t, Config{SegmentBytes: 16 << 10, CheckpointRecords: 100})
	run := r.run()
	l := run.Log(ledger.Events)
	write(t, run, 0, 700)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, _ := l.Checkpoint()
	write(t, run, 700, 1500)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{0, 255, 256, 699, 1499} {
		proof, c, note, err := l.InclusionProof(seq, 0)
		if err != nil || note == nil {
			t.Fatalf("record %d: %v", seq, err)
		}
		rec := record(seq)
		if err := ledger.CheckInclusion(proof, c.Size, c.Root, seq, ledger.NewEntry(seq, rec.Type, rec.Payload).Leaf()); err != nil {
			t.Errorf("record %d: %v", seq, err)
		}
	}
	proof, c, _, err := l.ConsistencyProof(old.Size, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckConsistency(proof, c.Size, c.Root, old.Size, old.Root); err != nil {
		t.Error(err)
	}
	if proof, c, _, err := l.InclusionProof(5, old.Size); err != nil || c != old || len(proof) == 0 {
		t.Errorf("proof under an older checkpoint: %+v, %v", c, err)
	}
	if _, _, _, err := l.InclusionProof(5, 701); KindOf(err) != Unknown {
		t.Errorf("size without a checkpoint: %v", err)
	}
	if _, _, _, err := l.InclusionProof(5000, 0); KindOf(err) != Invalid {
		t.Errorf("record behind the end: %v", err)
	}
}

func TestReadRangesAndTypes(t *testing.T) {
	r := newRig(t, Config{SegmentBytes: 8192})
	run := r.run()
	write(t, run, 0, 1000)
	tests := []struct {
		name string
		q    Query
		want func(seq uint64) bool
	}{
		{"all", Query{}, func(uint64) bool { return true }},
		{"range", Query{From: 130, To: 777}, func(s uint64) bool { return s >= 130 && s < 777 }},
		{"one", Query{From: 999, To: 1000}, func(s uint64) bool { return s == 999 }},
		{"behind the end", Query{From: 1000, To: 2000}, func(uint64) bool { return false }},
		{"steps", Query{Types: []ledger.RecordType{ledger.Step}}, func(s uint64) bool { return s%4 == 3 }},
		{"two types in a range", Query{From: 500, Types: []ledger.RecordType{ledger.Verdict, ledger.Step}}, func(s uint64) bool { return s >= 500 && s%4 >= 2 }},
		{"absent type", Query{Types: []ledger.RecordType{ledger.Gate}}, func(uint64) bool { return false }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got, want []uint64
			for f, err := range run.Log(ledger.Events).Events(t.Context(), tt.q) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, f.Seq)
			}
			for seq := range uint64(1000) {
				if tt.want(seq) {
					want = append(want, seq)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %d records, want %d", len(got), len(want))
			}
		})
	}
}

func TestVolatileIsBesideTheTree(t *testing.T) {
	r := newRig(t, Config{TimingLinger: time.Millisecond, Host: "box", SegmentBytes: 8192})
	run := r.run()
	for at := uint64(0); at < 600; at += 50 {
		write(t, run, at, at+50)
	}
	r.stop() // timing is complete on disk after a clean stop
	run = r.run()
	got, err := run.Volatile(t.Context(), 230, 420)
	if err != nil || len(got) != 191 {
		t.Fatalf("%d volatile fields, %v", len(got), err)
	}
	for seq, data := range got {
		if string(data) != string(record(seq).Volatile) {
			t.Errorf("record %d has %q", seq, data)
		}
	}
	seen := uint64(0)
	err = run.commits(t.Context(), 0, func(c CommitRecord) bool {
		if c.First != seen || c.Host != "box" || c.At.IsZero() {
			t.Errorf("commit %+v, want it to begin at %d", c, seen)
		}
		seen = c.Last + 1
		return true
	})
	if err != nil || seen != 600 {
		t.Errorf("commits cover %d records, %v", seen, err)
	}
}

func TestSeal(t *testing.T) {
	r := newRig(t, Config{})
	run := r.run()
	if err := run.Claim(2); err != nil {
		t.Fatal(err)
	}
	write(t, run, 0, 100)
	if _, err := run.Log(ledger.Findings).AppendNext(t.Context(), []Record{{Type: ledger.Anomaly, Payload: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Seal(t.Context(), 1); KindOf(err) != LeaseLost {
		t.Errorf("seal by an old writer: %v", err)
	}
	notes, err := run.Seal(t.Context(), 2)
	if err != nil || len(notes) != 3 {
		t.Fatalf("%d notes, %v", len(notes), err)
	}
	for i, kind := range ledger.Logs {
		c, err := ledger.ReadCheckpoint(notes[i])
		if err != nil || c.Origin != ledger.Origin("acme", "run-1", kind) || kind == ledger.Events && (c.Size != 100 || c.Root != rootOf(100)) {
			t.Errorf("%s: %+v, %v", kind, c, err)
		}
	}
	for name, run := range map[string]*Run{"at once": run, "after a restart": r.restart()} {
		if err := run.Log(ledger.Events).Append(t.Context(), 2, records(100, 101)); KindOf(err) != Sealed {
			t.Errorf("%s: append after the seal: %v", name, err)
		}
	}
	run = r.run()
	again, err := run.Seal(t.Context(), 2)
	if err != nil || !slices.EqualFunc(notes, again, slices.Equal[[]byte]) || !run.Sealed() {
		t.Errorf("sealing again gives other notes: %v", err)
	}
	if first, err := run.Log(ledger.Findings).AppendNext(t.Context(), []Record{{Type: ledger.Ack, Payload: []byte("seen")}}); err != nil || first != 1 {
		t.Errorf("findings stay open: %d, %v", first, err)
	}
	check(t, run, 100)
}

// A batch closes at a reward or a flush at once, else when the linger time is over: with a clock that stands still
// nothing else can close it.
func TestWhatClosesABatch(t *testing.T) {
	tests := []struct {
		name    string
		recs    []Record
		flush   bool
		advance time.Duration
		durable bool
	}{
		{"nothing", records(0, 5), false, 0, false},
		{"less than the linger time", records(0, 5), false, time.Millisecond - 1, false},
		{"the linger time", records(0, 5), false, time.Millisecond, true},
		{"a reward", append(records(0, 5), Record{Seq: 5, Type: ledger.Reward}), false, 0, true},
		{"the number of records", records(0, 10), false, 0, true},
		{"bytes", []Record{{Seq: 0, Type: ledger.Rollout, Payload: make([]byte, 5000)}}, false, 0, true},
		{"a flush", records(0, 5), true, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{BatchRecords: 10, BatchBytes: 4096})
			c := clock.NewFake(time.Unix(1e9, 0))
			r.clock = c
			l := r.run().Log(ledger.Events)
			if err := l.Append(t.Context(), 0, tt.recs); err != nil {
				t.Fatal(err)
			}
			if tt.advance > 0 {
				for c.Waiters() == 0 { // the committer is on its way to its timer
					waitABit(t)
				}
				c.Advance(tt.advance)
			}
			if tt.flush {
				if err := l.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if tt.durable {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
			}
			defer cancel()
			if err := l.Wait(ctx, uint64(len(tt.recs))); (err == nil) != tt.durable {
				t.Errorf("durable: %v, want %v", err == nil, tt.durable)
			}
		})
	}
}

// waitABit lets other goroutines run without a fixed pause.
func waitABit(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(time.Millisecond):
	case <-t.Context().Done():
		t.Fatal("the test ended first")
	}
}

func TestCheckpointByTime(t *testing.T) {
	r := newRig(t, Config{})
	c := clock.NewFake(time.Unix(1e9, 0))
	r.clock = c
	l := r.run().Log(ledger.Events)
	if err := l.Append(t.Context(), 0, []Record{{Seq: 0, Type: ledger.Reward}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, note := l.Checkpoint(); note != nil {
		t.Fatal("signed before its time")
	}
	for c.Waiters() == 0 {
		waitABit(t)
	}
	c.Advance(time.Second)
	for _, note := l.Checkpoint(); note == nil; _, note = l.Checkpoint() {
		waitABit(t)
	}
}

// Any sequence of appends, replays, restarts and flushes gives the log of an undisturbed writer.
func TestAnyHistory(t *testing.T) {
	folder := t.TempDir
	rapid.Check(t, func(t *rapid.T) {
		r := &rig{t: t, root: folder(), cfg: Config{SegmentBytes: 4096, BatchRecords: 16, Reserve: -1}, clock: clock.System{}}
		defer r.stop()
		next := uint64(0)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "replay", "restart", "flush"}).Draw(t, "step") {
			case "append":
				n := rapid.Uint64Range(1, 120).Draw(t, "records")
				write(t, r.run(), next, next+n)
				next += n
			case "replay":
				from := rapid.Uint64Range(0, next).Draw(t, "from")
				if err := r.run().Log(ledger.Events).Append(context.Background(), 0, records(from, next)); err != nil {
					t.Fatal(err)
				}
			case "restart":
				r.restart()
			case "flush":
				if err := r.run().Log(ledger.Events).Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if next > 0 {
			check(t, r.run(), next)
		}
	})
}
