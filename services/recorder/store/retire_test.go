package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk/powercut"
)

// ended writes a run of several segments and seals it.
func ended(t testing.TB, n uint64) (*rig, *Run) {
	t.Helper()
	r := newRig(t, Config{SegmentBytes: 8 << 10})
	run := r.run()
	write(r.t, run, 0, n)
	if _, err := run.Seal(t.Context(), run.Epoch()); err != nil {
		t.Fatal(err)
	}
	return r, run
}

func numbers(t testing.TB, run *Run) (ns []uint64) {
	t.Helper()
	segments, err := run.Retirable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		ns = append(ns, s.Segment)
	}
	return ns
}

var byOwner = Retirement{Rule: "two years", By: "owner", At: time.Unix(1_800_000_000, 0)}

// checkRetired reads a run back whose first segments have lost their payloads, and verifies all that is left.
func checkRetired(t testing.TB, run *Run, n, retired uint64) {
	t.Helper()
	l, seq := run.Log(ledger.Events), uint64(0)
	for f, err := range l.Events(t.Context(), Query{}) {
		if err != nil {
			t.Fatalf("record %d: %v", seq, err)
		}
		want := record(seq)
		if f.Entry != ledger.NewEntry(seq, want.Type, want.Payload) {
			t.Fatalf("record %d has another entry", seq)
		}
		if gone := seq < retired; f.Retired() != gone || (Unreadable(f) == Retired) != gone || !gone && string(f.Stored) != string(want.Payload) {
			t.Fatalf("record %d of %d retired ones: %q", seq, retired, f.Stored)
		}
		seq++
	}
	_, keys := testKeys(t)
	report, err := l.Verify(t.Context(), keys)
	if err != nil || seq != n || !report.OK() || report.Covered != n || report.Root != rootOf(n) {
		t.Fatalf("%d records, covered %d, damages %v, %v", seq, report.Covered, report.Damages, err)
	}
	for _, s := range report.Retired {
		if !s.Declared {
			t.Fatalf("segment %d is not declared", s.Segment)
		}
	}
	for _, at := range []uint64{0, n / 2, n - 1} {
		proof, c, _, err := l.InclusionProof(at, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(proof, c.Size, c.Root, at, ledger.NewEntry(at, record(at).Type, record(at).Payload).Leaf()); err != nil {
			t.Fatalf("the proof of record %d: %v", at, err)
		}
	}
}

func TestRetire(t *testing.T) {
	r, run := ended(t, 400)
	ns := numbers(t, run)
	if len(ns) < 3 {
		t.Fatalf("%d segments: the test would show little", len(ns))
	}
	secret := []byte("payload 3 ")
	if !holds(t, r.root, secret) {
		t.Fatal("the payload is not where the test looks for it")
	}
	if err := os.WriteFile(filepath.Join(r.root, "acme/run-1/events/00000000.seg.damaged-1"), secret, 0o600); err != nil {
		t.Fatal(err)
	}
	note, err := run.Retire(t.Context(), ns, byOwner)
	if err != nil || len(note.Segments) != len(ns) {
		t.Fatalf("%+v, %v", note, err)
	}
	checkRetired(t, run, 400, 400)
	if holds(t, r.root, secret) {
		t.Error("a payload is still on the disk")
	}
	again, err := run.Retire(t.Context(), numbers(t, run), byOwner)
	if err != nil || len(again.Segments) != 0 || run.Log(ledger.Findings).Durable() != 1 {
		t.Errorf("again: %+v, %v, %d findings", again, err, run.Log(ledger.Findings).Durable())
	}
	run = r.restart()
	checkRetired(t, run, 400, 400)
	for _, name := range []string{"tile/0", "tile/1"} { // the stored tiles are a cache of what stays too
		if err := os.Remove(filepath.Join(r.root, "acme/run-1/events", name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	checkRetired(t, r.restart(), 400, 400)
	_, keys := testKeys(t)
	reports, err := ledger.VerifyRun(t.Context(), os.DirFS(filepath.Join(r.root, "acme/run-1")), ledger.VerifyOptions{Keys: keys})
	if err != nil || !reports[0].OK() || len(reports[0].Retired) != len(ns) || reports[0].Retired[0].Rule != "two years" {
		t.Errorf("offline: %+v, %v", reports[0], err)
	}
}

// Some segments may go and others stay: of one run a rule may take what a damaged segment lets it.
func TestRetireAPart(t *testing.T) {
	r, run := ended(t, 400)
	first := run.Log(ledger.Events).segs[2].first
	if _, err := run.Retire(t.Context(), []uint64{0, 1}, byOwner); err != nil {
		t.Fatal(err)
	}
	checkRetired(t, run, 400, first)
	checkRetired(t, r.restart(), 400, first)
}

func TestRetireRefuses(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T) (*rig, *Run)
		kind Kind
	}{
		{"a run that goes on", func(t *testing.T) (*rig, *Run) {
			r := newRig(t, Config{SegmentBytes: 8 << 10})
			run := r.run()
			write(r.t, run, 0, 400)
			return r, run
		}, Invalid},
		{"a damaged segment", func(t *testing.T) (*rig, *Run) {
			r, _ := ended(t, 400)
			r.stop()
			name := filepath.Join(r.root, "acme/run-1/events", ledger.SegmentName(1))
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b[900] ^= 1
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return r, r.run()
		}, Corrupt},
		{"findings that cannot be written", func(t *testing.T) (*rig, *Run) {
			r, run := ended(t, 400)
			f := run.Log(ledger.Findings)
			f.mu.Lock()
			f.broken = f.fault(Fault{Kind: WriteFailed})
			f.mu.Unlock()
			return r, run
		}, WriteFailed},
		{"a copy that nobody vouches for", func(t *testing.T) (*rig, *Run) { return ended(t, 400) }, ""},
		{"a segment that is none", func(t *testing.T) (*rig, *Run) { return ended(t, 20) }, Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, run := tt.do(t)
			by, refusal := byOwner, errors.New("not there")
			if tt.kind == "" {
				by.Confirm = func(context.Context, Candidate) error { return refusal }
			}
			before := payloadFiles(t, r.root)
			_, err := run.Retire(t.Context(), []uint64{0, 1, 2}, by)
			if err == nil || KindOf(err) != tt.kind || tt.kind == "" && !errors.Is(err, refusal) {
				t.Errorf("%v", err)
			}
			if after := payloadFiles(t, r.root); after != before {
				t.Errorf("files went: %s, before %s", after, before)
			}
			if tt.kind != WriteFailed && run.Log(ledger.Findings).Durable() != 0 {
				t.Error("what was not done is declared")
			}
		})
	}
}

// A reader that began before the payloads went reads on; one that begins after it sees what stays.
func TestRetireUnderAReader(t *testing.T) {
	_, run := ended(t, 400)
	seq, gone := uint64(0), 0
	for f, err := range run.Log(ledger.Events).Events(t.Context(), Query{}) {
		if err != nil || f.Seq != seq || f.Entry != ledger.NewEntry(seq, record(seq).Type, record(seq).Payload) {
			t.Fatalf("record %d: %+v, %v", seq, f, err)
		}
		if f.Retired() {
			gone++
		}
		if seq == 3 {
			if _, err := run.Retire(t.Context(), numbers(t, run), byOwner); err != nil {
				t.Fatal(err)
			}
		}
		seq++
	}
	if seq != 400 || gone == 0 {
		t.Errorf("%d records, %d without payload", seq, gone)
	}
}

func TestRetiredSegmentIsDamaged(t *testing.T) {
	for name, change := range map[string]func(b []byte) []byte{
		"a flipped bit":   func(b []byte) []byte { b[300] ^= 1; return b },
		"cut short":       func(b []byte) []byte { return b[:len(b)-30] },
		"a header's byte": func(b []byte) []byte { b[50] ^= 1; return b },
		"nothing left":    func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r, run := ended(t, 400)
			if _, err := run.Retire(t.Context(), numbers(t, run), byOwner); err != nil {
				t.Fatal(err)
			}
			r.stop()
			file := filepath.Join(r.root, "acme/run-1/events", ledger.RetiredName(1))
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, keys := testKeys(t)
			report, err := r.run().Log(ledger.Events).Verify(t.Context(), keys)
			if err != nil || report.OK() || report.Damages[0].Segment != 1 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

// The recorder dies between the steps; what a verification then finds is whole or declared, and doing it again ends it.
func TestRetireIsKilled(t *testing.T) {
	for _, point := range []faultline.Point{PointRetirePrepared, PointRetireDeclared, PointRetireDropped} {
		t.Run(string(point), func(t *testing.T) {
			r, run := ended(t, 400)
			ns := numbers(t, run)
			r.deps = func(d *Deps) { d.Faults = faultline.New(point, 1, nil) }
			run = r.restart()
			if _, err := run.Retire(t.Context(), ns, byOwner); !errors.Is(err, faultline.ErrKilled) {
				t.Fatal(err)
			}
			r.deps = nil
			run = r.restart()
			_, keys := testKeys(t)
			report, err := run.Log(ledger.Events).Verify(t.Context(), keys)
			if err != nil || !report.OK() || report.Covered != 400 {
				t.Fatalf("%+v, %v", report, err)
			}
			if _, err := run.Retire(t.Context(), numbers(t, run), byOwner); err != nil {
				t.Fatal(err)
			}
			checkRetired(t, run, 400, 400)
			if n := run.Log(ledger.Findings).Durable(); n != 1 {
				t.Errorf("declared %d times", n)
			}
		})
	}
}

// The machine dies before every call that retention makes of its disk, and keeps all, half or nothing of what was not
// synced. A payload is gone only where findings says so, under a checkpoint, on the disk that is left.
func TestRetireAtEveryCall(t *testing.T) {
	signer, keys := testKeys(t)
	open := func(d *powercut.Disk) (*Store, *Run) {
		s, err := Open(Config{SegmentBytes: 4096, Reserve: -1, Linger: time.Nanosecond}, Deps{Disk: d, Signer: signer, Clock: clock.NewFake(time.Unix(1_700_000_000, 0)), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		run, err := s.Run(t.Context(), "acme", "run-1", true)
		if err != nil {
			t.Fatal(err)
		}
		return s, run
	}
	begin := powercut.New()
	s, run := open(begin)
	write(t, run, 0, 100)
	if _, err := run.Seal(t.Context(), run.Epoch()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := begin.Files()
	for _, c := range []struct {
		fault powercut.Fault
		loss  powercut.Loss
	}{{powercut.Off, powercut.Lost}, {powercut.Off, powercut.Torn}, {powercut.Off, powercut.Kept}, {powercut.Broken, powercut.Lost}, {powercut.Full, powercut.Kept}, {powercut.Short, powercut.Torn}} {
		for at, failed := 1, true; failed || at < 20; at++ {
			d := powercut.From(files)
			s, run := open(d)
			ns := numbers(t, run)
			d.Plan(at, c.fault)
			_, err := run.Retire(t.Context(), ns, byOwner)
			failed = err != nil
			_ = s.Close() // the machine is off
			d.Cut(c.loss)
			where := fmt.Sprintf("fault %d, loss %d, call %d (%v)", c.fault, c.loss, at, err)
			reports, err := ledger.VerifyRun(t.Context(), mapFS(d.Files()), ledger.VerifyOptions{Keys: keys})
			if err != nil || !reports[0].OK() || reports[0].Covered != 100 {
				t.Fatalf("%s: offline %+v, %v", where, reports, err)
			}
			for _, r := range reports[0].Retired {
				if !r.Declared {
					t.Fatalf("%s: segment %d is gone and not declared", where, r.Segment)
				}
			}
			s, run = open(d)
			if _, err := run.Retire(t.Context(), numbers(t, run), byOwner); err != nil {
				t.Fatalf("%s: again: %v", where, err)
			}
			checkRetired(t, run, 100, 100)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			for name, b := range d.Files() {
				if _, is := ledger.ParseSegmentName(name); is && strings.Contains(name, "/events/") || bytes.Contains(b, []byte("payload 3 ")) {
					t.Fatalf("%s: payloads are left in %s", where, name)
				}
			}
		}
	}
}

func mapFS(files map[string][]byte) fs.FS {
	out := fstest.MapFS{}
	for name, b := range files {
		out[strings.TrimPrefix(name, "acme/run-1/")] = &fstest.MapFile{Data: b}
	}
	return out
}

// holds looks for bytes below a folder.
func holds(t testing.TB, root string, what []byte) (found bool) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		found = found || bytes.Contains(b, what)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func payloadFiles(t testing.TB, root string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "acme/run-1/events/*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestEnded(t *testing.T) {
	r := newRig(t, Config{})
	fake := clock.NewFake(time.Unix(1_700_000_000, 0))
	r.cfg.Linger, r.cfg.TimingLinger, r.clock = time.Nanosecond, time.Nanosecond, fake
	run := r.run()
	if _, err := run.Ended(t.Context()); !errors.Is(err, ErrEndUnknown) {
		t.Errorf("an empty run: %v", err)
	}
	write(r.t, run, 0, 40)
	fake.Advance(48 * time.Hour)
	write(r.t, run, 40, 41)
	fake.Advance(48 * time.Hour)
	for i := range 2 * endWindow { // what came to timing later does not count
		if _, err := run.Log(ledger.Timing).AppendNext(t.Context(), []Record{{Type: ledger.EngineEvent, Payload: fmt.Append(nil, i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Seal(t.Context(), run.Epoch()); err != nil {
		t.Fatal(err)
	}
	if at, err := run.Ended(t.Context()); err != nil || !at.Equal(time.Unix(1_700_000_000, 0).Add(48*time.Hour)) {
		t.Errorf("ended %v, %v", at, err)
	}
	r.stop()
	if err := os.RemoveAll(filepath.Join(r.root, "acme/run-1/timing")); err != nil {
		t.Fatal(err)
	}
	if at, err := r.run().Ended(t.Context()); !errors.Is(err, ErrEndUnknown) {
		t.Errorf("without the log timing a time is made up: %v, %v", at, err)
	}
}

// BenchmarkRetire takes the payloads of one segment of 16 MiB away: read, checked, written without them, declared, deleted.
func BenchmarkRetire(b *testing.B) {
	const records, size = 1024, 16 << 10
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, Config{})
		run := r.run()
		for at := uint64(0); at < records; at += 64 {
			var recs []Record
			for seq := at; seq < at+64; seq++ {
				recs = append(recs, Record{Seq: seq, Type: ledger.Rollout, Payload: bytes.Repeat([]byte{byte(seq)}, size)})
			}
			if err := errors.Join(run.Log(ledger.Events).Append(b.Context(), run.Epoch(), recs), run.Log(ledger.Events).Sync(b.Context())); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := run.Seal(b.Context(), run.Epoch()); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(records * size)
		b.StartTimer()
		if _, err := run.Retire(b.Context(), []uint64{0}, byOwner); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		r.stop()
		b.StartTimer()
	}
}
