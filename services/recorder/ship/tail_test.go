package ship

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
	"github.com/provenir/provenir/services/recorder/store"
)

// signed writes records, and waits for a checkpoint that covers them.
func (r *rig) signed(run *store.Run, from, to uint64) {
	r.t.Helper()
	r.write(run, from, to)
	if err := run.Log(ledger.Events).Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// inStore is a log as the store has it, under the names that a person copies.
func (r *rig) inStore(log string) fstest.MapFS {
	out := fstest.MapFS{}
	for _, name := range r.s3.Names() {
		if rest, ok := strings.CutPrefix(name, "ledger/acme/run-1/"+log+"/"); ok {
			o, _ := r.s3.Get(name)
			out[rest] = &fstest.MapFile{Data: o.Data}
		}
	}
	return out
}

// covered is how many records of a log the store's copy proves.
func (r *rig) covered(log string) uint64 {
	r.t.Helper()
	report, err := ledger.Verify(r.t.Context(), r.inStore(log), ledger.VerifyOptions{Keys: r.keys})
	if err != nil || !report.OK() || report.Covered != report.Records {
		r.t.Fatalf("the copy of %s: %+v, %v", log, report, err)
	}
	return report.Covered
}

func TestTailOfALiveRun(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.TailEvery = time.Minute
	r.restart()
	run := r.run()
	r.signed(run, 0, 20)
	r.pass()
	if n := r.covered("events"); n != 20 {
		t.Fatalf("%d records, want 20", n)
	}
	r.signed(run, 20, 40)
	r.pass()
	if n := r.covered("events"); n != 20 {
		t.Errorf("%d records after less than a minute, want 20", n)
	}
	for at := uint64(40); at <= 300; at += 20 { // across rolls
		r.clock.Advance(time.Minute)
		r.signed(run, at, at+20)
		r.pass()
		if n := r.covered("events"); n != at+20 {
			t.Fatalf("%d records, want %d", n, at+20)
		}
	}
	if n, _ := r.store.SealedSegments("acme", "run-1", ledger.Events); n < 2 {
		t.Fatalf("%d sealed segments: the test would show little", n)
	}
	r.seal(run)
	r.pass()
	for _, log := range ledger.Logs[:1] {
		if n := r.covered(log.String()); n != 320 {
			t.Errorf("%s: %d records", log, n)
		}
	}
}

// A run that has ended waits for no interval: findings and timing stay open after it, and go out with what they have.
func TestTailOfAnEndedRun(t *testing.T) {
	r := newRig(t, nil)
	run := r.run()
	r.write(run, 0, 40)
	findings := run.Log(ledger.Findings)
	tell := func() {
		if _, err := findings.AppendNext(t.Context(), []store.Record{{Type: ledger.Ack, Payload: []byte("seen")}}); err != nil {
			t.Fatal(err)
		}
		if err := findings.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tell()
	r.pass()
	if got := r.inStore("findings"); len(got) > 0 {
		t.Fatalf("a live run without an interval: %v", got)
	}
	r.seal(run)
	for want := uint64(1); want <= 3; want++ {
		r.pass()
		if n := r.covered("findings"); n != want {
			t.Fatalf("findings: %d records, want %d", n, want)
		}
		tell()
	}
	if n := r.covered("timing"); n != run.Log(ledger.Timing).Durable() || n == 0 {
		t.Errorf("timing: %d records", n)
	}
	before := len(r.s3.Names())
	r.pass()
	r.pass()
	if after := len(r.s3.Names()); after != before+2 { // the third piece and its checkpoint
		t.Errorf("%d objects, before %d", after, before)
	}
	r.restart() // nobody opens the run: what is on the disk goes out
	r.pass()
	if n := r.covered("findings"); n != 4 {
		t.Errorf("findings: %d records, want 4", n)
	}
}

// What was put and not noted is found again, also where it was less than what is to be put now.
func TestTailIsTakenUp(t *testing.T) {
	tests := []struct {
		name   string
		forget func(t *testing.T, r *rig)
	}{
		{"the note is gone", func(t *testing.T, r *rig) {
			if err := os.Remove(r.events(tailFile)); err != nil {
				t.Fatal(err)
			}
		}},
		{"the note makes no sense", func(t *testing.T, r *rig) {
			if err := os.WriteFile(r.events(tailFile), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"the last piece was not noted", func(t *testing.T, r *rig) {
			if err := os.WriteFile(r.events(tailFile), []byte(`{"segment":0,"pieces":0,"size":0,"records":0}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.cfg.TailEvery = time.Nanosecond
			r.restart()
			run := r.run()
			r.signed(run, 0, 16)
			r.pass()
			tt.forget(t, r)
			r.clock.Advance(time.Second)
			r.signed(run, 16, 32)
			r.pass()
			if n := r.covered("events"); n != 32 {
				t.Errorf("%d records, want 32", n)
			}
			if got := r.inStore("events"); len(got) != 4 { // two pieces, two checkpoints
				t.Errorf("%d objects", len(got))
			}
		})
	}
}

// Nothing of a damaged end goes out, and what another recorder put there is left alone.
func TestTailRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, r *rig)
	}{
		{"a flipped bit", func(t *testing.T, r *rig) {
			b, err := os.ReadFile(r.events(ledger.SegmentName(0)))
			if err != nil {
				t.Fatal(err)
			}
			b[400] ^= 1
			if err := os.WriteFile(r.events(ledger.SegmentName(0)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"another checkpoint", func(t *testing.T, r *rig) {
			c := ledger.Checkpoint{Origin: ledger.Origin("acme", "run-1", ledger.Events), Size: 16}
			note, err := c.Sign(r.signer)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(r.events(ledger.CheckpointFile), note, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"another piece is there", func(_ *testing.T, r *rig) {
			r.s3.Set(inBucket+ledger.PieceName(0, 0), []byte("of another recorder"))
		}},
		{"an empty piece is there", func(_ *testing.T, r *rig) { r.s3.Set(inBucket+ledger.PieceName(0, 0), nil) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nil)
			run := r.run()
			r.signed(run, 0, 16)
			r.stop()
			r.start()
			tt.spoil(t, r)
			before := len(r.s3.Names())
			r.pass() // it is logged, and no other log waits for it
			if after := len(r.inStore("events")); after != before {
				t.Errorf("objects went out: %v", r.s3.Names())
			}
		})
	}
}

func TestTailOfAStoreThatIsAway(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.TailEvery = time.Nanosecond
	r.restart()
	run := r.run()
	r.signed(run, 0, 16)
	for _, method := range []string{http.MethodPut, http.MethodHead} {
		r.s3.Fail(func(q *http.Request) fakes3.Fault {
			if q.Method == method {
				return fakes3.Fault{Status: http.StatusServiceUnavailable}
			}
			return fakes3.Fault{}
		})
		if err := r.shipper.Pass(t.Context()); !errors.As(err, new(*unreachable)) {
			t.Errorf("%s fails: %v", method, err)
		}
	}
	r.s3.Fail(nil)
	r.pass()
	if n := r.covered("events"); n != 16 {
		t.Errorf("%d records", n)
	}
}

// The end of a log whose file is gone is read from its pieces.
func TestReadThroughToPieces(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.TailEvery = time.Nanosecond
	r.restart()
	run := r.run()
	for at := uint64(0); at < 48; at += 16 {
		r.signed(run, at, at+16)
		r.clock.Advance(time.Second)
		r.pass()
	}
	if err := os.Remove(r.events(ledger.SegmentName(0))); err != nil {
		t.Fatal(err)
	}
	r.read(run, 48)
}

func TestPieceNames(t *testing.T) {
	for name, ok := range map[string]bool{"00000003.tail.00000012": true, "3.tail.12": false, "00000003.tail.": false, "00000003.seg": false, ".tail.": false} {
		n, k, is := ledger.ParsePieceName(path.Join("dir", name))
		if is != ok || ok && (n != 3 || k != 12) {
			t.Errorf("%s: %d, %d, %v", name, n, k, is)
		}
	}
	for name, ok := range map[string]bool{ledger.CheckpointName(7): true, "checkpoint": false, "checkpoint.7": false, "checkpoints": false} {
		if size, is := ledger.ParseCheckpointName(name); is != ok || ok && size != 7 {
			t.Errorf("%s: %d, %v", name, size, is)
		}
	}
}

// What a person copies from the store verifies, and what is wrong with it is named.
func TestVerifyPieces(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.TailEvery = time.Nanosecond
	r.restart()
	run := r.run()
	for at := uint64(0); at < 48; at += 12 {
		r.signed(run, at, at+12)
		r.clock.Advance(time.Second)
		r.pass()
	}
	tests := []struct {
		name   string
		attack func(f fstest.MapFS)
		kind   ledger.DamageKind
	}{
		{"whole", func(fstest.MapFS) {}, ""},
		{"the last piece is missing", func(f fstest.MapFS) { delete(f, ledger.PieceName(0, 3)) }, ledger.TruncatedFile},
		{"a piece in the middle is missing", func(f fstest.MapFS) { delete(f, ledger.PieceName(0, 1)) }, ledger.TruncatedFile},
		{"two were swapped", func(f fstest.MapFS) {
			a, b := ledger.PieceName(0, 1), ledger.PieceName(0, 2)
			f[a], f[b] = f[b], f[a]
		}, ledger.ReorderedRecords},
		{"a flipped bit", func(f fstest.MapFS) {
			p := f[ledger.PieceName(0, 2)]
			p.Data = bytes.Clone(p.Data)
			p.Data[40] ^= 1
		}, ledger.FlippedBits},
		{"cut short", func(f fstest.MapFS) {
			p := f[ledger.PieceName(0, 3)]
			p.Data = p.Data[:len(p.Data)-30]
		}, ledger.TruncatedFile},
		{"a forged checkpoint", func(f fstest.MapFS) { f[ledger.CheckpointName(70)] = &fstest.MapFile{Data: []byte("x\n70\n\n\n")} }, ledger.CheckpointEdited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := r.inStore("events")
			tt.attack(f)
			report, err := ledger.Verify(t.Context(), f, ledger.VerifyOptions{Keys: r.keys})
			if err != nil || report.OK() != (tt.kind == "") || tt.kind != "" && !report.Has(tt.kind) {
				t.Errorf("%v, %v", report.Damages, err)
			}
		})
	}
}

func TestTailSettings(t *testing.T) {
	cfg := Config{Endpoint: "https://s3.example.org", Bucket: "b", TailEvery: -time.Second}
	if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "tail_every") {
		t.Errorf("%v", err)
	}
}

// A run that is sealed goes out at once, also when the process ends with it: a mesh inside of a verb lives no longer.
func TestWake(t *testing.T) {
	r := newRig(t, nil)
	run := r.run()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.shipper.Run(ctx) }()
	waits := func() {
		t.Helper()
		for r.clock.Waiters() == 0 {
			runtime.Gosched()
		}
	}
	waits()
	r.write(run, 0, 40)
	r.seal(run)
	r.shipper.Wake()
	for r.inStore("events")[ledger.SegmentName(0)] == nil {
		runtime.Gosched()
	}
	waits()
	if _, err := run.Log(ledger.Findings).AppendNext(t.Context(), []store.Record{{Type: ledger.Ack, Payload: []byte("seen")}}); err != nil {
		t.Fatal(err)
	}
	if err := run.Log(ledger.Findings).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel() // nothing was sealed since
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := r.inStore("findings"); len(got) > 0 {
		t.Errorf("a pass that nobody asked for: %v", got)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	r.shipper.Wake()
	if err := r.shipper.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := r.covered("findings"); n != 1 {
		t.Errorf("findings: %d records", n)
	}
}
