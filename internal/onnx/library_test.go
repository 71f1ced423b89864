package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func touch(t *testing.T, parts ...string) string {
	t.Helper()
	p := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	name := strings.ReplaceAll(fileName(), "*", ".1.30.0")
	beside, set, env := t.TempDir(), t.TempDir(), t.TempDir()
	lib := touch(t, beside, "lib", "onnxruntime", name)
	touch(t, beside, "lib", "onnxruntime", strings.Replace(name, "onnxruntime", "onnxruntime_providers_shared", 1))
	configured, fromEnv := touch(t, set, "x.so"), touch(t, env, "y.so")
	for _, c := range []struct {
		name, configured, env string
		folders               []string
		want                  string
		tried                 []string // when it is an error
	}{
		{name: "configured first", configured: configured, env: fromEnv, folders: []string{beside}, want: configured},
		{name: "environment next", env: fromEnv, folders: []string{beside}, want: fromEnv},
		{name: "beside the program", folders: []string{beside}, want: lib},
		{name: "one folder above", folders: []string{set, beside}, want: lib},
		{name: "configured and missing", configured: "/no/such.so", env: fromEnv, folders: []string{beside}, tried: []string{"/no/such.so"}},
		{name: "environment and missing", env: "/no/such.so", folders: []string{beside}, tried: []string{"/no/such.so"}},
		{name: "a folder is no library", configured: set, tried: []string{set}},
		{name: "nowhere", folders: []string{set, env}, tried: []string{set, env}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := find(c.configured, c.env, c.folders)
			if got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if c.tried == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.ErrorReason() != NotFound {
				t.Fatalf("got %v", err)
			}
			for _, p := range c.tried {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q does not name %s", err, p)
				}
			}
		})
	}
}
