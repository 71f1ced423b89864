package checkpoint

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/services/trainer/engine"
)

// Folder shows blobs as a folder. A file is read whole and its digest checked, so no byte is parsed that is not the one
// that was stored.
func Folder(blobs *blob.Store, files []*corev1.FileRef) fs.FS {
	f := folder{blobs: blobs, files: map[string]*corev1.FileRef{}}
	for _, r := range files {
		f.files[r.GetPath()] = r
	}
	return f
}

type folder struct {
	blobs *blob.Store
	files map[string]*corev1.FileRef
}

// maxFile bounds one file of a model: what a Go slice can hold in this machine's memory is the real bound.
const maxFile = 64 << 30

func (f folder) Open(name string) (fs.File, error) {
	r, ok := f.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	d, err := blob.ParseDigest(r.GetDigest())
	if err != nil {
		return nil, err
	}
	b, err := f.blobs.Read(context.Background(), d, maxFile)
	if err != nil {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: name, Err: err}
	}
	if uint64(len(b)) != r.GetSizeBytes() {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: fmt.Sprintf("%s has %d bytes, the manifest says %d", name, len(b), r.GetSizeBytes())}
	}
	return &openFile{Reader: bytes.NewReader(b), name: name}, nil
}

// WithoutOptimizer hides the optimizer of a checkpoint: a stage begins with a fresh one.
func WithoutOptimizer(f fs.FS) fs.FS { return withoutOptimizer{f} }

type withoutOptimizer struct{ fs.FS }

func (w withoutOptimizer) Open(name string) (fs.File, error) {
	if name == "optimizer.safetensors" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

type openFile struct {
	*bytes.Reader
	name string
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o, nil }
func (o *openFile) Close() error               { return nil }
func (o *openFile) Name() string               { return o.name }
func (o *openFile) Mode() fs.FileMode          { return 0o400 }
func (o *openFile) ModTime() time.Time         { return time.Time{} }
func (o *openFile) IsDir() bool                { return false }
func (o *openFile) Sys() any                   { return nil }
