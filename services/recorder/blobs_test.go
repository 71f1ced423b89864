package recorder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/ship"
	"github.com/provenir/provenir/services/recorder/ship/fakes3"
)

// withBlobs gives a rig a blob store.
func (r *rig) withBlobs(t testing.TB) *rig {
	t.Helper()
	var err error
	if r.blobs, err = blob.Open(filepath.Join(r.root, "blobs")); err != nil {
		t.Fatal(err)
	}
	return r
}

// large is a payload that goes by digest.
func large(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "large payload %d ", i), 20_000) }

func (r *rig) putBlob(t testing.TB, b []byte) *corev1.BlobRef {
	t.Helper()
	d, size, err := r.blobs.Put(context.Background(), bytes.NewReader(b), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.BlobRef{Digest: d[:], SizeBytes: uint64(size), MediaType: "text/plain"}
}

func (r *rig) blobFile(d []byte) string {
	name := fmt.Sprintf("%x", d)
	return filepath.Join(r.root, "blobs", name[:2], name)
}

// blobbed is a run of five records, two of which point to blobs.
func (r *rig) blobbed(t testing.TB) (refs []*corev1.BlobRef) {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	for i := range 2 {
		refs = append(refs, r.putBlob(t, large(i)))
		recs = append(recs, &recorderv1.Record{Seq: uint64(len(recs)), Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: refs[i]})
	}
	recs = append(recs, &recorderv1.Record{Seq: 3, Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: []byte("small")},
		&recorderv1.Record{Seq: 4, Type: recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE})
	r.write("run-1", 1, recs)
	return refs
}

func TestBlobsAreShipped(t *testing.T) {
	r := newRig(t).withBlobs(t)
	s3 := r.shipping(t)
	r.start()
	refs := r.blobbed(t)
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	r.shipped(t)
	for i, ref := range refs {
		o, ok := s3.Get("ledger/" + ship.BlobName([32]byte(ref.GetDigest())))
		if !ok || !bytes.Equal(o.Data, large(i)) {
			t.Errorf("payload %d: %d bytes, %v", i, len(o.Data), ok)
		}
	}
	before := len(s3.Calls())
	r.shipped(t)
	if after := len(s3.Calls()); after > before {
		t.Errorf("asked again: %v", s3.Calls()[before:])
	}
}

// Payloads that are gone or damaged are named, come back from their copy, and are declared lost only where there is none.
func TestRepairOfBlobs(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, r *rig, file string)
		store  func(s3 *fakes3.Store, name string)
		code   codes.Code
		back   bool
	}{
		{"gone", func(t *testing.T, _ *rig, file string) { remove(t, file) }, nil, codes.OK, true},
		{"a flipped bit", func(t *testing.T, _ *rig, file string) {
			edit(t, file, func(b []byte) []byte { b[7] ^= 1; return b })
		}, nil, codes.OK, true},
		{"cut short", func(t *testing.T, _ *rig, file string) { edit(t, file, func(b []byte) []byte { return b[:9] }) }, nil, codes.OK, true},
		{"gone here and damaged there", func(t *testing.T, _ *rig, file string) { remove(t, file) }, func(s3 *fakes3.Store, name string) {
			s3.Set(name, []byte("something else"))
		}, codes.OK, false},
		{"gone here while the store is away", func(t *testing.T, _ *rig, file string) { remove(t, file) }, func(s3 *fakes3.Store, _ string) {
			s3.Fail(func(*http.Request) fakes3.Fault { return fakes3.Fault{Status: http.StatusServiceUnavailable} })
		}, codes.Unavailable, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t).withBlobs(t)
			s3 := r.shipping(t)
			r.start()
			refs := r.blobbed(t)
			if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
				t.Fatal(err)
			}
			r.shipped(t)
			tt.damage(t, r, r.blobFile(refs[1].GetDigest()))
			v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
			if err != nil || len(v.GetDamages()) != 1 || v.GetDamages()[0].GetFirstSeq() != 2 {
				t.Fatalf("verify: %v, %v", v, err)
			}
			if tt.store != nil {
				tt.store(s3, "ledger/"+ship.BlobName([32]byte(refs[1].GetDigest())))
			}
			got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1", Log: recorderv1.Log_LOG_EVENTS})
			if status.Code(err) != tt.code {
				t.Fatalf("repair: %v, %v", got, err)
			}
			if err != nil {
				return
			}
			if tt.back != (len(got.GetRestoredBlobs()) == 1) || tt.back == (len(got.GetLosses()) > 0) {
				t.Errorf("repair: %v", got)
			}
			v, err = r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
			if err != nil || tt.back != (len(v.GetDamages()) == 0) {
				t.Errorf("after it: %v, %v", v.GetDamages(), err)
			}
		})
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// A payload that is not here is read from its copy, and kept.
func TestReadThroughOfBlobs(t *testing.T) {
	r := newRig(t).withBlobs(t)
	s3 := r.shipping(t)
	r.start()
	ref := r.blobbed(t)[0]
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	r.shipped(t)
	r.blobs.ReadThrough(func(ctx context.Context, d blob.Digest) (io.ReadCloser, error) {
		return ship.OpenBlob(ctx, r.copies, d)
	})
	remove(t, r.blobFile(ref.GetDigest()))
	got, err := r.blobs.Read(t.Context(), blob.Digest(ref.GetDigest()), 1<<20)
	if err != nil || !bytes.Equal(got, large(0)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := os.Stat(r.blobFile(ref.GetDigest())); err != nil {
		t.Error("it was not kept")
	}
	remove(t, r.blobFile(ref.GetDigest()))
	s3.Set("ledger/"+ship.BlobName([32]byte(ref.GetDigest())), []byte("forged"))
	if got, err := r.blobs.Read(t.Context(), blob.Digest(ref.GetDigest()), 1<<20); err == nil {
		t.Errorf("a forged copy is taken: %q", got)
	}
}

// A blob that is missing when its segment goes out keeps the segment from nothing.
func TestASegmentShipsWithoutItsBlob(t *testing.T) {
	r := newRig(t).withBlobs(t)
	s3 := r.shipping(t)
	s3.Fail(func(*http.Request) fakes3.Fault { return fakes3.Fault{Status: http.StatusServiceUnavailable} })
	r.start()
	refs := r.blobbed(t)
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	remove(t, r.blobFile(refs[0].GetDigest()))
	edit(t, r.blobFile(refs[1].GetDigest()), func(b []byte) []byte { b[0] ^= 1; return b })
	s3.Fail(nil)
	r.shipped(t)
	if _, ok := s3.Get("ledger/default/run-1/events/" + ledger.SegmentName(0)); !ok {
		t.Errorf("the segment is not there: %v", s3.Names())
	}
	for _, ref := range refs {
		if _, ok := s3.Get("ledger/" + ship.BlobName([32]byte(ref.GetDigest()))); ok {
			t.Error("a damaged payload went out under a name that cannot be given again")
		}
	}
}
