package governance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

// model copies the checkpoint's files out of the blob store, checking each digest.
func (s *Service) model(ctx context.Context, digest []byte, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // a checkpoint without files is told by what is missing, not by its folder
		return err
	}
	resp, err := s.d.Trainer.GetCheckpoint(ctx, &trainerv1.GetCheckpointRequest{Checkpoint: hex.EncodeToString(digest)})
	if err != nil {
		return fmt.Errorf("find the model checkpoint: %w", err)
	}
	for _, f := range resp.GetCheckpoint().GetFiles() {
		if !fs.ValidPath(f.GetPath()) || f.GetPath() == "." {
			return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT, "checkpoint file %q leaves its folder", f.GetPath())
		}
		if err := s.copy(ctx, f, filepath.Join(dir, filepath.FromSlash(f.GetPath()))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) copy(ctx context.Context, f *corev1.FileRef, to string) error {
	d, err := blob.ParseDigest(f.GetDigest())
	if err != nil {
		return err
	}
	r, err := s.d.Blobs.Open(ctx, d)
	if errors.Is(err, blob.ErrMissing) {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING, "model file %s: %w", f.GetPath(), err)
	}
	if err != nil {
		return fmt.Errorf("model file %s: %w", f.GetPath(), err)
	}
	defer r.Close()
	h := sha256.New()
	if err := write(to, io.TeeReader(r, h)); err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), d[:]) {
		return rpc.Errorf(codes.DataLoss, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_CORRUPT, "model file %s has other bytes than its digest says", f.GetPath())
	}
	return nil
}

func write(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}
