// Package blobrpc serves a blob store over gRPC and reads one through it.
package blobrpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"

	blobv1 "github.com/provenir/provenir/gen/provenir/blob/v1"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

const chunk = 1 << 20

// Server is BlobService over a store.
type Server struct {
	blobv1.UnimplementedBlobServiceServer
	store *blob.Store
}

// NewServer serves s.
func NewServer(s *blob.Store) *Server { return &Server{store: s} }

// Put stores one blob. The first chunk names digest and size; a blob that is there already is not read again.
func (s *Server) Put(stream blobv1.BlobService_PutServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	want, err := blob.ParseDigest(first.GetDigest())
	if err != nil {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%v", err).Field("digest", "32 bytes of SHA-256")
	}
	r := &putReader{stream: stream, next: first, size: first.GetSizeBytes()}
	var size int64
	if first.GetTransient() {
		size, err = s.store.PutTransit(stream.Context(), r, want)
	} else {
		_, size, err = s.store.Put(stream.Context(), r, &want)
	}
	switch {
	case errors.Is(err, blob.ErrDigest):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_BLOB_DIGEST_MISMATCH, "%w", err)
	case err != nil:
		return err
	}
	return stream.SendAndClose(&blobv1.PutResponse{Digest: want[:], SizeBytes: uint64(size)})
}

type putReader struct {
	stream blobv1.BlobService_PutServer
	next   *blobv1.PutRequest
	rest   []byte
	read   uint64
	size   uint64
}

func (r *putReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.next == nil {
			m, err := r.stream.Recv()
			if err == io.EOF && r.read != r.size {
				return 0, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
					"the stream ended after %d of %d bytes", r.read, r.size)
			}
			if err != nil {
				return 0, err
			}
			r.next = m
		}
		if r.next.GetOffset() != r.read || r.read+uint64(len(r.next.GetChunk())) > r.size {
			return 0, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
				"chunk at offset %d of %d bytes does not continue at %d of %d", r.next.GetOffset(), len(r.next.GetChunk()), r.read, r.size)
		}
		r.rest, r.next = r.next.GetChunk(), nil
		r.read += uint64(len(r.rest))
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Get sends a blob from an offset on.
func (s *Server) Get(req *blobv1.GetRequest, stream blobv1.BlobService_GetServer) error {
	d, err := blob.ParseDigest(req.GetDigest())
	if err != nil {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%v", err)
	}
	f, err := s.store.Open(stream.Context(), d)
	if err != nil {
		return missing(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	offset := req.GetOffset()
	if offset > uint64(info.Size()) {
		return rpc.Errorf(codes.OutOfRange, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "offset %d is past the end, %d", offset, info.Size())
	}
	if _, err := f.Seek(int64(offset), io.SeekStart); err != nil {
		return err
	}
	buf := make([]byte, chunk)
	for sent := false; ; sent = true {
		n, err := io.ReadFull(f, buf)
		end := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return err
		}
		if n > 0 || !sent { // an empty blob is one empty chunk
			if err := stream.Send(&blobv1.GetResponse{Offset: offset, Chunk: buf[:n], SizeBytes: uint64(info.Size())}); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
		offset += uint64(n)
	}
}

// Stat says whether a blob is there.
func (s *Server) Stat(ctx context.Context, req *blobv1.StatRequest) (*blobv1.StatResponse, error) {
	d, err := blob.ParseDigest(req.GetDigest())
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%v", err)
	}
	size, err := s.store.Stat(ctx, d)
	if errors.Is(err, blob.ErrMissing) {
		return &blobv1.StatResponse{}, nil
	}
	return &blobv1.StatResponse{Present: err == nil, SizeBytes: uint64(size)}, err
}

func missing(err error) error {
	if errors.Is(err, blob.ErrMissing) {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING, "%w", err)
	}
	return err
}
