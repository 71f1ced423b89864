package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
)

func (r *rig) events(name string) string {
	return filepath.Join(r.root, "acme", "run-1", "events", name)
}

// editFile changes a file of a stopped recorder.
func editFile(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A crash may leave any part of the last write, or zeros where the data should be. Nothing before it is lost.
func TestTornTail(t *testing.T) {
	r := newRig(t, Config{CheckpointRecords: 1 << 40, CheckpointEvery: time.Hour})
	write(t, r.run(), 0, 9)
	r.stop()
	seg := r.events(ledger.SegmentName(0))
	whole, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	write(t, r.run(), 9, 10)
	r.stop()
	longer, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"checkpoint", "checkpoints"} { // they were written after the record they cover
		if err := os.Remove(r.events(file)); err != nil {
			t.Fatal(err)
		}
	}
	for cut := len(whole); cut < len(longer); cut++ {
		for _, tail := range [][]byte{longer[len(whole):cut], make([]byte, cut-len(whole))} {
			if err := os.WriteFile(seg, append(bytes.Clone(whole), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			run := r.run()
			if next := run.Log(ledger.Events).Next(); next != 9 {
				t.Fatalf("cut at byte %d: record %d is next, want 9", cut, next)
			}
			write(t, run, 9, 12)
			if cut == len(longer)-1 {
				check(t, run, 12)
			}
			r.stop()
			for _, file := range []string{"checkpoint", "checkpoints"} {
				if err := os.Remove(r.events(file)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestDamageInTheMiddle(t *testing.T) {
	r := newRig(t, Config{})
	write(t, r.run(), 0, 300)
	r.stop()
	editFile(t, r.events(ledger.SegmentName(0)), func(b []byte) []byte {
		at := bytes.Index(b, record(150).Payload)
		b[at] ^= 1
		return b
	})
	l := r.run().Log(ledger.Events)
	var f *Fault
	if !errors.As(l.Broken(), &f) || f.Kind != Corrupt || f.Segment != 0 || f.FirstSeq != 150 || f.LastSeq != 150 {
		t.Fatalf("broken = %v", l.Broken())
	}
	if err := l.Append(t.Context(), 0, records(300, 301)); KindOf(err) != Corrupt {
		t.Errorf("append: %v", err)
	}
	seen := uint64(0)
	for f, err := range l.Events(t.Context(), Query{}) {
		if err != nil {
			if KindOf(err) != Corrupt || seen != 150 {
				t.Errorf("after %d records: %v", seen, err)
			}
			break
		}
		if seen = f.Seq + 1; seen > 150 {
			t.Fatal("damage was skipped silently")
		}
	}
	gaps, n := 0, 0
	for _, err := range l.Events(t.Context(), Query{Damaged: true}) {
		if err == nil {
			n++
			continue
		}
		if gaps++; !errors.As(err, &f) || f.FirstSeq != 150 || f.LastSeq != 150 {
			t.Errorf("gap %v", err)
		}
	}
	if n != 299 || gaps != 1 {
		t.Errorf("%d records and %d gaps, want 299 and 1", n, gaps)
	}
}

func TestLostAcked(t *testing.T) {
	r := newRig(t, Config{})
	write(t, r.run(), 0, 100)
	r.stop()
	editFile(t, r.events(ledger.SegmentName(0)), func(b []byte) []byte {
		at := bytes.Index(b, record(90).Payload)
		return b[:at]
	})
	l := r.run().Log(ledger.Events)
	var f *Fault
	if !errors.As(l.Broken(), &f) || f.Kind != LostAcked || f.FirstSeq != 90 || f.LastSeq != 99 {
		t.Fatalf("broken = %v, want records 90 to 99 lost", l.Broken())
	}
	if err := l.Append(t.Context(), 0, records(90, 91)); KindOf(err) != LostAcked {
		t.Errorf("the run goes on silently: %v", err)
	}
}

func TestMissingAndForeignSegments(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, r *rig)
	}{
		{"missing", func(t *testing.T, r *rig) {
			if err := os.Remove(r.events(ledger.SegmentName(1))); err != nil {
				t.Fatal(err)
			}
		}},
		{"swapped", func(t *testing.T, r *rig) {
			a, b := r.events(ledger.SegmentName(0)), r.events(ledger.SegmentName(1))
			if err := errors.Join(os.Rename(a, a+".x"), os.Rename(b, a), os.Rename(a+".x", b)); err != nil {
				t.Fatal(err)
			}
		}},
		{"trailer", func(t *testing.T, r *rig) {
			editFile(t, r.events(ledger.SegmentName(0)), func(b []byte) []byte { return b[:len(b)-8] })
		}},
		{"header", func(t *testing.T, r *rig) {
			editFile(t, r.events(ledger.SegmentName(1)), func(b []byte) []byte { b[20] ^= 1; return b })
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{SegmentBytes: 8192})
			write(t, r.run(), 0, 400)
			r.stop()
			tt.damage(t, r)
			if err := r.run().Log(ledger.Events).Broken(); KindOf(err) != Corrupt {
				t.Errorf("broken = %v", err)
			}
		})
	}
}

func TestDiskErrors(t *testing.T) {
	tests := []struct {
		name  string
		rules faulty.Rules
		want  Kind // of the batch that meets it
	}{
		{"one failed sync", faulty.Rules{SkipSyncs: true, Room: -1, FailSyncs: 1, Only: "*.seg"}, ""},
		{"one short write", faulty.Rules{SkipSyncs: true, Room: -1, FailWrites: 1, Only: "*.seg"}, ""},
		{"two failed syncs", faulty.Rules{SkipSyncs: true, Room: -1, FailSyncs: 2, Only: "*.seg"}, WriteFailed},
		{"a write and a sync", faulty.Rules{SkipSyncs: true, Room: -1, FailWrites: 1, FailSyncs: 1, Only: "*.seg"}, WriteFailed},
		{"checkpoints cannot be written", faulty.Rules{SkipSyncs: true, Room: 0, Only: "checkpoint*"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{CheckpointRecords: 20})
			run := r.run()
			l := run.Log(ledger.Events)
			write(t, run, 0, 50)
			r.disk.Set(tt.rules)
			if err := l.Append(t.Context(), 0, records(50, 100)); err != nil {
				t.Fatal(err)
			}
			if err := l.Sync(t.Context()); KindOf(err) != tt.want || (err != nil) != (tt.want != "") {
				t.Fatalf("error %v, want kind %q", err, tt.want)
			}
			if tt.want != "" {
				if err := l.Append(t.Context(), 0, records(50, 51)); KindOf(err) != WriteFailed {
					t.Errorf("after two failures the log must be read-only: %v", err)
				}
				if l.Durable() != 50 {
					t.Errorf("%d durable, want 50", l.Durable())
				}
			}
			r.disk.Set(faulty.Rules{SkipSyncs: true, Room: -1})
			run = r.restart()
			write(t, run, run.Log(ledger.Events).Next(), 120)
			check(t, run, 120)
		})
	}
}

// A full disk refuses appends and loses nothing that was acknowledged; when there is room again the run goes on without
// a restart. Findings can still be written: they say what is wrong.
func TestDiskFull(t *testing.T) {
	r := newRig(t, Config{Reserve: 1 << 20})
	c := clock.NewFake(time.Unix(1e9, 0))
	r.clock = c
	run := r.run()
	l := run.Log(ledger.Events)
	write(t, run, 0, 50)
	if _, err := os.Stat(filepath.Join(r.root, "reserve")); err != nil {
		t.Fatalf("no reserve is kept: %v", err)
	}
	r.disk.Set(faulty.Rules{SkipSyncs: true, Room: 777, Only: "*.seg", Free: 4096})
	if err := l.Append(t.Context(), 0, records(50, 150)); err != nil {
		t.Fatal(err)
	}
	if err := l.Sync(t.Context()); KindOf(err) != DiskFull {
		t.Fatalf("sync on a full disk: %v", err)
	}
	if l.Durable() != 50 || l.Next() != 50 {
		t.Errorf("durable %d, next %d; want 50, 50", l.Durable(), l.Next())
	}
	if err := l.Append(t.Context(), 0, records(50, 51)); KindOf(err) != DiskFull {
		t.Errorf("append on a full disk: %v", err)
	}
	if s, err := r.store.Space(); err != nil || !s.Full || !s.Low {
		t.Errorf("space %+v, %v", s, err)
	}
	if _, err := os.Stat(filepath.Join(r.root, "reserve")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve was not given up: %v", err)
	}
	r.disk.Set(faulty.Rules{SkipSyncs: true, Room: -1, Free: 4096})
	findings := run.Log(ledger.Findings)
	if _, err := findings.AppendNext(t.Context(), []Record{{Type: ledger.Anomaly, Payload: []byte("disk_low")}}); err != nil {
		t.Errorf("findings: %v", err)
	}
	if err := findings.Sync(t.Context()); err != nil {
		t.Errorf("findings: %v", err)
	}
	n := 0
	for _, err := range l.Events(t.Context(), Query{}) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 50 {
		t.Errorf("%d records can be read, want 50", n)
	}
	r.disk.Set(faulty.Rules{SkipSyncs: true, Room: -1})
	c.Advance(spaceEvery)
	write(t, run, 50, 200)
	if _, err := os.Stat(filepath.Join(r.root, "reserve")); err != nil {
		t.Errorf("the reserve was not made again: %v", err)
	}
	check(t, run, 200)
}

// Killed at any point and started again, a run ends with the root of one that was never disturbed.
func TestKilledAnywhere(t *testing.T) {
	for _, point := range []faultline.Point{PointWritten, PointSynced, PointTrailer, PointRolled, PointHistory, PointFenceRaised} {
		for _, count := range []int{1, 2, 3} {
			t.Run(string(point), func(t *testing.T) {
				r := newRig(t, Config{SegmentBytes: 4096, BatchRecords: 7, CheckpointRecords: 10})
				line := faultline.New(point, count, nil)
				r.deps = func(d *Deps) { d.Faults = line }
				acked := writeUntilKilled(t, r, 200)
				r.stop()
				r.deps = nil
				run := r.run()
				next := run.Log(ledger.Events).Next()
				if next < acked {
					t.Fatalf("%d records were acknowledged, %d are there", acked, next)
				}
				if err := run.Claim(100); err != nil {
					t.Fatal(err)
				}
				from := next - min(next, 5) // a writer that goes back a little repeats itself
				write(t, run, from, 400)
				check(t, run, 400)
				check(t, r.restart(), 400)
			})
		}
	}
}

// writeUntilKilled writes n records under ever higher epochs and gives the number that was acknowledged.
func writeUntilKilled(t *testing.T, r *rig, n uint64) (acked uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	run := r.run()
	l := run.Log(ledger.Events)
	for at := uint64(0); at < n; at += 10 {
		if err := run.Claim(at); err != nil {
			return l.Durable()
		}
		if err := l.Append(ctx, at, records(at, at+10)); err != nil {
			return l.Durable()
		}
		if err := l.Sync(ctx); err != nil {
			if !errors.Is(err, faultline.ErrKilled) {
				t.Fatal(err)
			}
			return l.Durable()
		}
	}
	return l.Durable()
}
