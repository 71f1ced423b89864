package recorder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// transient leaves a payload for a record of a salted run.
func (r *rig) transient(t testing.TB, b []byte) *corev1.BlobRef {
	t.Helper()
	d := digestOf(b)
	size, err := r.blobs.PutTransit(context.Background(), bytes.NewReader(b), d)
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.BlobRef{Digest: d[:], SizeBytes: uint64(size), MediaType: "text/plain"}
}

// saltedBlobs is a salted run whose two rollouts, alice's and bob's, are too large for a frame.
func (r *rig) saltedBlobs(t testing.TB) []*recorderv1.Record {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	for i, who := range []string{"alice", "bob"} {
		recs = append(recs, &recorderv1.Record{Seq: uint64(i + 1), Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: r.transient(t, large(i)), ErasureGroup: who})
	}
	return append(recs, &recorderv1.Record{Seq: 3, Type: recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, Payload: []byte("done")})
}

func (r *rig) appendSalted(recs ...*recorderv1.Record) error {
	_, err := r.client.AppendBatch(context.Background(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: recs,
		Spec: &recorderv1.RecorderSpec{Method: "grpo", Privacy: recorderv1.Privacy_PRIVACY_SALTED}})
	return err
}

// payload reads one record's payload as a client does.
func (r *rig) payload(seq uint64) ([]byte, error) {
	stream, err := r.client.ReadPayload(context.Background(), &recorderv1.ReadPayloadRequest{Run: "run-1", Seq: seq})
	if err != nil {
		return nil, err
	}
	var out []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, m.GetChunk()...)
	}
}

func TestSaltedBlobs(t *testing.T) {
	r := newRig(t).withBlobs(t).start()
	recs := r.saltedBlobs(t)
	if err := r.appendSalted(recs...); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if found := r.onDisk(t, large(i)[:64]); len(found) > 0 {
			t.Errorf("payload %d lies bare in %v", i, found)
		}
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		events := r.list(t)
		for i := range 2 {
			e := events[i+1]
			plain := digestOf(large(i))
			if !e.GetEncrypted() || e.GetBlob().GetSizeBytes() != uint64(len(large(i))) || e.GetBlob().GetMediaType() != "text/plain" || bytes.Equal(e.GetDigest(), plain[:]) || bytes.Equal(e.GetBlob().GetDigest(), plain[:]) {
				t.Errorf("record %d: %v", i+1, e)
			}
			if got, err := r.payload(uint64(i + 1)); err != nil || !bytes.Equal(got, large(i)) {
				t.Errorf("payload %d: %d bytes, %v", i, len(got), err)
			}
		}
		if got, err := r.payload(3); err != nil || string(got) != "done" {
			t.Errorf("an inline payload: %q, %v", got, err)
		}
		if _, err := r.payload(9); rpc.Reason(err) != "INVALID_ARGUMENT" {
			t.Errorf("a record that is none: %v", err)
		}
		v := r.verified("run-1")
		if len(v.GetUnchecked()) > 0 {
			t.Errorf("with the keys: %v", v.GetUnchecked())
		}
		if err := r.appendSalted(recs...); err != nil { // sent again, and what was left in transit is gone
			t.Errorf("a repeat: %v", err)
		}
		other := proto.Clone(recs[1]).(*recorderv1.Record)
		other.Blob.Digest = make([]byte, 32)
		if err := r.appendSalted(other); rpc.Reason(err) != "DIVERGENT_REPLAY" {
			t.Errorf("another payload under a recorded number: %v", err)
		}
	}
	// Without the keys the ciphertext is checked, and what is in it is not.
	report, err := ledger.Verify(t.Context(), os.DirFS(filepath.Join(r.root, "ledger", "default", "run-1", "events")), ledger.VerifyOptions{Keys: r.service.verifiers})
	if err != nil || !report.OK() || report.EncryptedUnchecked != uint64(len(recs)) {
		t.Errorf("offline: %+v, %v", report, err)
	}
}

func TestSaltedBlobsAreErased(t *testing.T) {
	r := newRig(t).withBlobs(t).start()
	recs := r.saltedBlobs(t)
	if err := r.appendSalted(recs...); err != nil {
		t.Fatal(err)
	}
	got, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"})
	if err != nil || got.GetRecords() != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		events := r.list(t)
		if e := events[1]; e.GetPayloadAbsent() != corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED || e.GetBlob() != nil {
			t.Errorf("alice's: %v", e)
		}
		if _, err := r.payload(1); rpc.Reason(err) != "PAYLOAD_ERASED" {
			t.Errorf("alice's payload: %v", err)
		}
		if got, err := r.payload(2); err != nil || !bytes.Equal(got, large(1)) {
			t.Errorf("bob's payload: %d bytes, %v", len(got), err)
		}
		if v := r.verified("run-1"); len(v.GetUnchecked()) != 1 {
			t.Errorf("verify: %v", v)
		}
		if err := r.appendSalted(recs[:3]...); err != nil { // nobody can tell any more whether alice's is the same
			t.Errorf("a repeat: %v", err)
		}
		fresh := &recorderv1.Record{Seq: 4, Type: recorderv1.RecordType_RECORD_TYPE_EVAL, Blob: r.transient(t, large(5)), ErasureGroup: "alice"}
		if err := r.appendSalted(fresh); rpc.Reason(err) != "PAYLOAD_ERASED" {
			t.Errorf("a new one of an erased group: %v", err)
		}
	}
}

func TestSaltedBlobsAreRefused(t *testing.T) {
	r := newRig(t).withBlobs(t).start()
	if err := r.appendSalted(&recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}); err != nil {
		t.Fatal(err)
	}
	shorter := r.transient(t, large(0))
	shorter.SizeBytes--
	for _, tt := range []struct {
		name string
		blob *corev1.BlobRef
		want string
	}{
		{"uploaded for good", r.putBlob(t, large(1)), "BLOB_MISSING"},
		{"never uploaded", &corev1.BlobRef{Digest: make([]byte, 32), SizeBytes: 5}, "BLOB_MISSING"},
		{"of another size", shorter, "INVALID_ARGUMENT"},
	} {
		if err := r.appendSalted(&recorderv1.Record{Seq: 1, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: tt.blob}); rpc.Reason(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := r.appendSalted(&recorderv1.Record{Seq: 1, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: []byte("small")}); err != nil {
		t.Errorf("the run cannot go on: %v", err)
	}
	if err := r.appendSalted(&recorderv1.Record{Seq: 1, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: &corev1.BlobRef{Digest: make([]byte, 32), SizeBytes: 5}}); rpc.Reason(err) != "DIVERGENT_REPLAY" {
		t.Errorf("a blob in the place of a small payload: %v", err)
	}
}

// The ciphertext may be damaged or lost; it is named, and comes back from its copy, which nobody can read after an erasure.
func TestSaltedBlobsAreShippedAndMended(t *testing.T) {
	r := newRig(t).withBlobs(t)
	s3 := r.shipping(t)
	r.start()
	recs := r.saltedBlobs(t)
	if err := r.appendSalted(recs...); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	r.shipped(t)
	for _, name := range s3.Names() {
		if o, _ := s3.Get(name); bytes.Contains(o.Data, large(0)[:64]) {
			t.Errorf("%s holds a plain payload", name)
		}
	}
	events := r.list(t)
	remove(t, r.blobFile(events[1].GetBlob().GetDigest()))
	edit(t, r.blobFile(events[2].GetBlob().GetDigest()), func(b []byte) []byte { b[99] ^= 1; return b })
	v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
	if err != nil || len(v.GetDamages()) != 2 {
		t.Fatalf("verify: %v, %v", v, err)
	}
	if got, err := r.payload(1); err != nil || !bytes.Equal(got, large(0)) {
		t.Errorf("a lost payload is not read from its copy: %d bytes, %v", len(got), err)
	}
	if _, err := r.payload(2); rpc.Reason(err) != "LEDGER_CORRUPT" {
		t.Errorf("a damaged payload: %v", err)
	}
	got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"})
	if err != nil || len(got.GetRestoredBlobs()) != 1 || len(got.GetLosses()) > 0 {
		t.Errorf("repair: %v, %v", got, err)
	}
	r.verified("run-1")
}

// With a record the ciphertext goes, since nothing else can point to it.
func TestSaltedBlobsAreRetired(t *testing.T) {
	r, now := aged(t)
	r.withBlobs(t).start()
	if err := r.appendSalted(r.saltedBlobs(t)...); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	file := r.blobFile(r.list(t)[1].GetBlob().GetDigest())
	now.Advance(25 * month)
	if got := r.apply("run-1"); got.GetState() != retired {
		t.Fatal(got)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the ciphertext is still there: %v", err)
	}
	if _, err := r.payload(1); rpc.Reason(err) != "PAYLOAD_RETIRED" {
		t.Errorf("%v", err)
	}
	r.verified("run-1")
	if got, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"}); err != nil || got.GetRecords() != 1 {
		t.Errorf("an erasure after it: %v, %v", got, err) // copies elsewhere may still hold it
	}
}

// What no record took over does not stay in transit.
func TestTransitIsSwept(t *testing.T) {
	r := newRig(t).withBlobs(t).start()
	ref := r.transient(t, large(0))
	file := filepath.Join(r.root, "blobs", "transit", fmt.Sprintf("%x", ref.GetDigest()))
	r.service.retainPass(t.Context())
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("it went at once: %v", err)
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	r.service.retainPass(t.Context())
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// The recorder dies while it takes a large payload over; the writer sends the record again, and nothing is bare or lost.
func TestSaltedBlobsAreKilled(t *testing.T) {
	for _, point := range []faultline.Point{store.PointWritten, store.PointSynced} {
		t.Run(string(point), func(t *testing.T) {
			r := newRig(t).withBlobs(t).start()
			recs := r.saltedBlobs(t)
			if err := r.appendSalted(recs[0]); err != nil {
				t.Fatal(err)
			}
			r.stop()
			r.fault = faultline.New(point, 1, nil)
			r.start()
			if err := r.appendSalted(recs[1:]...); err == nil {
				t.Fatal("it was not killed")
			}
			r.stop()
			r.fault = nil
			r.start()
			if err := r.appendSalted(recs...); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if got, err := r.payload(uint64(i + 1)); err != nil || !bytes.Equal(got, large(i)) {
					t.Errorf("payload %d: %d bytes, %v", i, len(got), err)
				}
			}
			r.verified("run-1")
			for i := range 2 { // the record came again, and with it what was left in transit went
				if found := r.onDisk(t, large(i)[:64]); len(found) > 0 {
					t.Errorf("payload %d lies bare in %v", i, found)
				}
			}
		})
	}
}
