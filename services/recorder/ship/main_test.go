package ship

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/disk/faulty"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
	"github.com/provenir/provenir/services/recorder/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a store of logs, a store of copies, and a shipper between them.
type rig struct {
	t       *testing.T
	root    string
	clock   *clock.Fake
	s3      *fakes3.Store
	bucket  *Bucket
	cfg     Config
	signer  note.Signer
	keys    note.Verifiers
	disk    *faulty.FS
	store   *store.Store
	shipper *Shipper
}

func newRig(t *testing.T, keep *time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, root: t.TempDir(), clock: clock.NewFake(time.Unix(1_700_000_000, 0)), s3: fakes3.New()}
	server := httptest.NewServer(r.s3)
	t.Cleanup(server.Close)
	r.cfg = Config{Endpoint: server.URL, Bucket: r.s3.Bucket, KeepLocal: keep, CredentialsFile: credentialsFile(t, r.s3.Key, r.s3.Secret)}
	var err error
	if r.bucket, err = Dial(r.cfg, clock.System{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.bucket.Close)
	skey, vkey, err := note.GenerateKey(rand.Reader, "recorder.test")
	if err != nil {
		t.Fatal(err)
	}
	if r.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	r.keys = note.VerifierList(v)
	t.Cleanup(r.stop)
	return r.start()
}

func credentialsFile(t *testing.T, key, secret string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key, secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// start opens the store of logs and makes a shipper that remembers nothing.
func (r *rig) start() *rig {
	r.t.Helper()
	d, err := disk.OpenDir(r.root)
	if err != nil {
		r.t.Fatal(err)
	}
	r.disk = faulty.New(d)
	r.disk.Set(faulty.Rules{Room: -1, SkipSyncs: true})
	cfg := store.Config{SegmentBytes: 8 << 10, Reserve: -1, BatchRecords: 16, TimingLinger: time.Millisecond}
	r.store, err = store.Open(cfg, store.Deps{Disk: r.disk, Signer: r.signer, Copies: r.bucket})
	if err != nil {
		r.t.Fatal(err)
	}
	r.shipper, err = New(r.cfg, Deps{Disk: r.disk, Logs: r.store, Remote: r.bucket, Clock: r.clock, Random: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *rig) stop() {
	if r.store != nil {
		if err := r.store.Close(); err != nil {
			r.t.Logf("close: %v", err)
		}
		r.store = nil
	}
}

func (r *rig) restart() *store.Run {
	r.stop()
	return r.start().run()
}

func (r *rig) run() *store.Run {
	r.t.Helper()
	run, err := r.store.Run(r.t.Context(), "acme", "run-1", true)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

func payload(seq uint64) []byte { return bytes.Repeat(fmt.Appendf(nil, "payload %d ", seq), 4) }

// write appends records from..to, 16 at a time, so that small segments roll.
func (r *rig) write(run *store.Run, from, to uint64) {
	r.t.Helper()
	l := run.Log(ledger.Events)
	for at := from; at < to; at += 16 {
		var recs []store.Record
		for seq := at; seq < min(at+16, to); seq++ {
			recs = append(recs, store.Record{Seq: seq, Type: ledger.Rollout, Payload: payload(seq)})
		}
		if err := errors.Join(l.Append(r.t.Context(), run.Epoch(), recs), l.Sync(r.t.Context())); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) seal(run *store.Run) {
	r.t.Helper()
	if _, err := run.Seal(r.t.Context(), run.Epoch()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) pass() {
	r.t.Helper()
	if err := r.shipper.Pass(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// read checks that all records read back, wherever they lie.
func (r *rig) read(run *store.Run, n uint64) {
	r.t.Helper()
	seq := uint64(0)
	for f, err := range run.Log(ledger.Events).Events(r.t.Context(), store.Query{}) {
		if err != nil {
			r.t.Fatalf("record %d: %v", seq, err)
		}
		if f.Seq != seq || !bytes.Equal(f.Stored, payload(seq)) {
			r.t.Fatalf("record %d reads as %d %q", seq, f.Seq, f.Stored)
		}
		seq++
	}
	if seq != n {
		r.t.Fatalf("%d records, want %d", seq, n)
	}
}

func (r *rig) events(name string) string {
	return filepath.Join(r.root, "acme", "run-1", "events", name)
}

func (r *rig) here(n uint64) bool {
	_, err := os.Stat(r.events(ledger.SegmentName(n)))
	return err == nil
}

// offline verifies the folder as an auditor does.
func (r *rig) offline() *ledger.Report {
	r.t.Helper()
	report, err := ledger.Verify(r.t.Context(), os.DirFS(r.events(".")), ledger.VerifyOptions{Keys: r.keys})
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

const inBucket = "ledger/acme/run-1/events/"

func put(ctx context.Context, b *Bucket, name string, data []byte) error {
	return b.Put(ctx, name, io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), int64(len(data)), sha256.Sum256(data))
}
