//go:build cgo

package onnx_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/onnx/onnxtest"
)

func TestOpen(t *testing.T) {
	r := onnxtest.Open(t)
	if r.Version == "" || bytes.Equal(r.Digest[:], make([]byte, 32)) {
		t.Errorf("version %q, digest %x", r.Version, r.Digest)
	}
	again, err := onnx.Open(onnx.Config{Library: r.Path})
	if err != nil || again != r {
		t.Errorf("a second opening gives %p, %v; want the first, %p", again, err, r)
	}
	for _, key := range []string{"onnxruntime.version", "onnxruntime.sha256", "cpu.features", "threads"} {
		if r.Environment()[key] == "" {
			t.Errorf("the environment does not say %s", key)
		}
	}
	other := filepath.Join(t.TempDir(), "other.so")
	if err := os.WriteFile(other, []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	var e *onnx.Error
	if _, err := onnx.Open(onnx.Config{Library: other}); !errors.As(err, &e) || e.Reason != onnx.Mismatch {
		t.Errorf("another library beside the open one: %v", err)
	}
}

func TestSessionRefusesGarbage(t *testing.T) {
	r := onnxtest.Open(t)
	if _, err := r.Session([]byte("no model"), onnx.SessionConfig{Name: "garbage"}); err == nil {
		t.Error("garbage was compiled")
	}
	if _, err := onnx.Float32([]float32{1}, 2); err == nil {
		t.Error("one value was viewed as two")
	}
	if _, err := onnx.Int64([]int64{1}, -1); err == nil {
		t.Error("a negative shape was taken")
	}
}

// The CPU wheel has no CUDA provider: asking for it is a typed error, never a quiet CPU run.
func TestCUDAUnavailable(t *testing.T) {
	r := onnxtest.Open(t)
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(r.Path), "*providers_cuda*")); len(found) > 0 {
		t.Skip("this library has CUDA")
	}
	var e *onnx.Error
	if _, err := r.Session(nil, onnx.SessionConfig{Name: "cuda", CUDA: true}); !errors.As(err, &e) || e.Reason != onnx.CUDAUnavailable {
		t.Errorf("got %v", err)
	}
}
