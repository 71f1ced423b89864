package ship

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk/powercut"
	"github.com/provenir/provenir/services/recorder/store"
)

// remote is a store of copies that never fails and never forgets.
type remote map[string][]byte

func (r remote) Put(_ context.Context, name string, body io.ReadSeeker, _ int64, sum [32]byte) error {
	if r[name] != nil {
		return ErrExists
	}
	b, err := io.ReadAll(body)
	if err != nil || sha256.Sum256(b) != sum {
		return fmt.Errorf("bad digest of %s: %w", name, err)
	}
	r[name] = b
	return nil
}

func (r remote) Head(_ context.Context, name string) (Object, error) {
	b, ok := r[name]
	if !ok {
		return Object{}, fs.ErrNotExist
	}
	sum := sha256.Sum256(b)
	return Object{Size: int64(len(b)), SHA256: &sum}, nil
}

func (r remote) Size(ctx context.Context, name string) (int64, error) {
	o, err := r.Head(ctx, name)
	return o.Size, err
}

func (r remote) ReadRange(_ context.Context, name string, p []byte, off int64) (int, error) {
	b, ok := r[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return bytes.NewReader(b).ReadAt(p, off)
}

// openOn opens the run of a disk; the caller closes the store.
func openOn(t *testing.T, r *rig, d *powercut.Disk, far remote) (*store.Store, *store.Run) {
	t.Helper()
	s, err := store.Open(store.Config{SegmentBytes: 8 << 10, Reserve: -1, BatchRecords: 16}, store.Deps{Disk: d, Signer: r.signer, Clock: clock.NewFake(time.Unix(1_700_000_000, 0)), Copies: far})
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Run(t.Context(), "acme", "run-1", true)
	if err != nil {
		t.Fatal(err)
	}
	return s, run
}

// The machine dies before the calls that the shipper makes of its disk, between putting a copy and taking the file away
// too, and its disk keeps all, half or nothing of what was not synced. Every record can still be read, here or there; the
// next pass ends the work; a file is gone only where the store has the same bytes.
func TestShipperDiesAtEveryCall(t *testing.T) {
	r := newRig(t, nil)
	keep := time.Duration(0)
	begin := powercut.New()
	s, run := openOn(t, r, begin, remote{})
	r.write(run, 0, 200)
	r.seal(run)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files := begin.Files()
	pass := func(d *powercut.Disk, far remote, logs Logs) error {
		shipper, err := New(Config{Endpoint: "https://s3.example.org", Bucket: "b", KeepLocal: &keep}, Deps{Disk: d, Logs: logs, Remote: far, Clock: clock.NewFake(time.Unix(1_700_000_000, 0)), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		return shipper.Pass(t.Context())
	}
	for _, loss := range []powercut.Loss{powercut.Lost, powercut.Torn, powercut.Kept} {
		died := true
		for at := 1 + int(loss); died; at += 3 { // each third call for each kind of loss
			d, far := powercut.From(files), remote{}
			s, _ := openOn(t, r, d, far)
			d.Plan(at, powercut.Off)
			died = pass(d, far, s) != nil
			_ = s.Close() // the machine is off
			d.Cut(loss)
			s, run := openOn(t, r, d, far)
			r.read(run, 200)
			if err := pass(d, far, s); err != nil {
				t.Fatalf("loss %d, call %d: the next pass: %v", loss, at, err)
			}
			r.read(run, 200)
			report, err := run.Log(ledger.Events).Verify(t.Context(), r.keys)
			if err != nil || !report.OK() || report.Covered != 200 || len(report.Away) > 0 {
				t.Fatalf("loss %d, call %d: %+v, %v", loss, at, report, err)
			}
			if n, _ := s.SealedSegments("acme", "run-1", ledger.Events); n < 3 {
				t.Fatalf("%d segments: the test would show little", n)
			}
			for name := range d.Files() {
				if _, isSegment := ledger.ParseSegmentName(name); isSegment && bytes.Contains([]byte(name), []byte("/events/")) {
					t.Errorf("loss %d, call %d: %s is still here", loss, at, name)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
