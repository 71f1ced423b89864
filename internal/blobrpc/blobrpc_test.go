package blobrpc

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	blobv1 "github.com/provenir/provenir/gen/provenir/blob/v1"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
)

func serve(t *testing.T) blobv1.BlobServiceClient {
	t.Helper()
	s, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return blobv1.NewBlobServiceClient(grpctest.Serve(t, func(r grpc.ServiceRegistrar) {
		blobv1.RegisterBlobServiceServer(r, NewServer(s))
	}))
}

func TestUploadDownload(t *testing.T) {
	c := serve(t)
	for _, size := range []int{0, 1, chunk, 2*chunk + 7} {
		content := bytes.Repeat([]byte{7}, size)
		for range 2 { // the second upload finds the first
			d, n, err := Upload(t.Context(), c, bytes.NewReader(content))
			if err != nil || n != int64(size) {
				t.Fatalf("upload of %d: %d, %v", size, n, err)
			}
			var got bytes.Buffer
			if err := Download(t.Context(), c, d, &got); err != nil || !bytes.Equal(got.Bytes(), content) {
				t.Fatalf("download of %d: %d bytes, %v", size, got.Len(), err)
			}
		}
	}
}

func TestOtherBytesAreRefused(t *testing.T) {
	c := serve(t)
	d := sha256.Sum256([]byte("right"))
	for _, bad := range []*blobv1.PutRequest{
		{Digest: d[:], SizeBytes: 5, Chunk: []byte("wrong")},
		{Digest: d[:], SizeBytes: 5, Chunk: []byte("rig")},
		{Digest: d[:], SizeBytes: 5, Offset: 2, Chunk: []byte("ght")},
		{Digest: d[:3], SizeBytes: 5, Chunk: []byte("right")},
	} {
		stream, err := c.Put(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(bad); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.CloseAndRecv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: got %v", bad, err)
		}
	}
	err := Download(t.Context(), c, d, &bytes.Buffer{})
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING) {
		t.Errorf("got %v", err)
	}
}

func TestGetFromAnOffset(t *testing.T) {
	c := serve(t)
	d, _, err := Upload(t.Context(), c, bytes.NewReader([]byte("0123456789")))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.Get(t.Context(), &blobv1.GetRequest{Digest: d[:], Offset: 7})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := stream.Recv(); err != nil || string(m.GetChunk()) != "789" || m.GetSizeBytes() != 10 {
		t.Errorf("got %v, %v", m, err)
	}
	stream, err = c.Get(t.Context(), &blobv1.GetRequest{Digest: d[:], Offset: 11})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.OutOfRange {
		t.Errorf("an offset past the end: %v", err)
	}
}

// What is uploaded as transient is kept apart: no caller finds it, and the recorder does.
func TestUploadTransient(t *testing.T) {
	s, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := blobv1.NewBlobServiceClient(grpctest.Serve(t, func(r grpc.ServiceRegistrar) {
		blobv1.RegisterBlobServiceServer(r, NewServer(s))
	}))
	for _, size := range []int{0, 1, 2*chunk + 7} {
		content := bytes.Repeat([]byte{7}, size)
		d, n, err := UploadTransient(t.Context(), c, bytes.NewReader(content))
		if err != nil || n != int64(size) {
			t.Fatalf("upload of %d: %d, %v", size, n, err)
		}
		if err := Download(t.Context(), c, d, &bytes.Buffer{}); rpc.Reason(err) != "BLOB_MISSING" {
			t.Errorf("%d bytes can be read by anybody: %v", size, err)
		}
		if stat, err := c.Stat(t.Context(), &blobv1.StatRequest{Digest: d[:]}); err != nil || stat.GetPresent() {
			t.Errorf("%d bytes are found: %v, %v", size, stat, err)
		}
		f, got, err := s.OpenTransit(t.Context(), d)
		if err != nil || got != int64(size) {
			t.Fatalf("%d bytes are not where the recorder looks: %d, %v", size, got, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
