// Package onnxtest opens the ONNX library for tests, or skips them with the reason.
package onnxtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
)

// Library is the path of the library: PROVENIR_ONNXRUNTIME, else lib/onnxruntime/ of the checkout. Without one the test
// is skipped; a path that is set and wrong fails it.
func Library(t testing.TB) string {
	t.Helper()
	if os.Getenv(onnx.EnvLibrary) == "" {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for dir := wd; ; dir = filepath.Dir(dir) {
			found, _ := filepath.Glob(filepath.Join(dir, "lib", "onnxruntime", "libonnxruntime*[0-9]*")) // well-formed
			if len(found) > 0 {
				return found[0]
			}
			if dir == filepath.Dir(dir) {
				t.Skip("needs ONNX Runtime: run `make onnxruntime`, or set " + onnx.EnvLibrary)
			}
		}
	}
	path, err := onnx.Find("")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Open is the library with two threads.
func Open(t testing.TB) *onnx.Runtime {
	t.Helper()
	r, err := onnx.Open(onnx.Config{Library: Library(t), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
