package blobrpc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	blobv1 "github.com/provenir/provenir/gen/provenir/blob/v1"
	"github.com/provenir/provenir/internal/blob"
)

// Upload puts a seekable file under its digest, unless it is there already.
func Upload(ctx context.Context, c blobv1.BlobServiceClient, f io.ReadSeeker) (blob.Digest, int64, error) {
	d, size, err := digestOf(f)
	if err != nil {
		return d, 0, err
	}
	stat, err := c.Stat(ctx, &blobv1.StatRequest{Digest: d[:]})
	if err != nil {
		return d, 0, err
	}
	if stat.GetPresent() {
		return d, size, nil
	}
	return d, size, send(ctx, c, f, d, size, false)
}

// UploadTransient leaves a seekable file for a record of a salted run.
func UploadTransient(ctx context.Context, c blobv1.BlobServiceClient, f io.ReadSeeker) (blob.Digest, int64, error) {
	d, size, err := digestOf(f)
	if err != nil {
		return d, 0, err
	}
	return d, size, send(ctx, c, f, d, size, true)
}

// digestOf hashes a file and goes back to its beginning.
func digestOf(f io.ReadSeeker) (d blob.Digest, size int64, err error) {
	hash := sha256.New()
	if size, err = io.Copy(hash, f); err != nil {
		return d, 0, fmt.Errorf("hash the file: %w", err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return blob.Digest(hash.Sum(nil)), size, err
}

func send(ctx context.Context, c blobv1.BlobServiceClient, f io.Reader, d blob.Digest, size int64, transient bool) error {
	stream, err := c.Put(ctx)
	if err != nil {
		return err
	}
	var offset uint64
	for first := true; first || offset < uint64(size); first = false {
		buf := make([]byte, min(chunk, size-int64(offset)))
		if _, err := io.ReadFull(f, buf); err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		err := stream.Send(&blobv1.PutRequest{Digest: d[:], SizeBytes: uint64(size), Offset: offset, Chunk: buf, Transient: first && transient})
		if err == io.EOF {
			break // the server has answered already; CloseAndRecv says what
		}
		if err != nil {
			return err
		}
		offset += uint64(len(buf))
	}
	_, err = stream.CloseAndRecv()
	return err
}

// Download writes a blob to w and checks its digest at the end.
func Download(ctx context.Context, c blobv1.BlobServiceClient, d blob.Digest, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Get(ctx, &blobv1.GetRequest{Digest: d[:]})
	if err != nil {
		return err
	}
	hash := sha256.New()
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		hash.Write(m.GetChunk())
		if _, err := w.Write(m.GetChunk()); err != nil {
			return err
		}
	}
	if blob.Digest(hash.Sum(nil)) != d {
		return fmt.Errorf("download %s: %w", d, blob.ErrDigest)
	}
	return nil
}
