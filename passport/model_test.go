package passport

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/dirhash"
)

func TestFilesAreInNameOrderWithoutTheIgnored(t *testing.T) {
	files, err := Files(model())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	want := "Weights with spaces é.bin|config.json|model.safetensors|sub/.git/kept|tokenizer.json|tokenizer/merges-001.final|tokenizer/vocabulary.txt"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, f := range files {
		if f.Digest != sha256.Sum256(model()[f.Name].Data) || f.Size != int64(len(model()[f.Name].Data)) {
			t.Errorf("%s: %x, %d bytes", f.Name, f.Digest, f.Size)
		}
	}
}

func TestDirHashIsHash1(t *testing.T) {
	files, err := Files(model())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	h1, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return model().Open(name) })
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h1, "h1:"))
	if err != nil || DirHash(files) != hex.EncodeToString(raw) {
		t.Errorf("%s, want %x (%v)", DirHash(files), raw, err)
	}
}

// The root alone does not bind names: that is why a subject has dirHash too.
func TestARenameChangesDirHash(t *testing.T) {
	before, err := Files(fstest.MapFS{"a.bin": {Data: []byte("1")}, "b.bin": {Data: []byte("2")}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := Files(fstest.MapFS{"A.bin": {Data: []byte("1")}, "b.bin": {Data: []byte("2")}})
	if err != nil {
		t.Fatal(err)
	}
	if Root(before) != Root(after) || DirHash(before) == DirHash(after) {
		t.Error("a rename in the same order keeps the root and must change dirHash")
	}
	var digests bytes.Buffer
	for _, f := range before {
		digests.Write(f.Digest[:])
	}
	if h := sha256.Sum256(digests.Bytes()); Root(before) != hex.EncodeToString(h[:]) {
		t.Error("the root is not SHA-256 over the digests")
	}
}

func TestFilesRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		model fstest.MapFS
		want  error
	}{
		{"nothing", fstest.MapFS{}, ErrModelEmpty},
		{"ignored files only", fstest.MapFS{"model.sig": {}, ".git/HEAD": {}}, ErrModelEmpty},
		{"a link", fstest.MapFS{"a": {}, "b": {Mode: fs.ModeSymlink, Data: []byte("a")}}, ErrNotRegular},
		{"a pipe", fstest.MapFS{"a": {Mode: fs.ModeNamedPipe}}, ErrNotRegular},
		{"a line end", fstest.MapFS{"a\nb": {}}, ErrName},
		{"a line end in a folder's name", fstest.MapFS{"a\rb/c": {}}, ErrName},
		{"delete", fstest.MapFS{"a\x7f": {}}, ErrName},
		{"a C1 control character", fstest.MapFS{"a\u0085b": {}}, ErrName},
		{"right-to-left override", fstest.MapFS{"model\u202egpj.bin": {}}, ErrName},
		{"line separator", fstest.MapFS{"a\u2028b": {}}, ErrName},
		{"backslash", fstest.MapFS{`a\b`: {}}, ErrName},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := Files(c.model); !errors.Is(err, c.want) || got != nil {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestFilesOnDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names that are not UTF-8 cannot be made here")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "1", "sub/b": "2"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	h1, err := dirhash.HashDir(dir, "", dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := hex.DecodeString(DirHash(files)); err != nil || "h1:"+base64.StdEncoding.EncodeToString(raw) != h1 {
		t.Errorf("%s, want %s", DirHash(files), h1)
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := Files(os.DirFS(dir)); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a link: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "\xff"), nil, 0o600); err != nil {
		t.Skipf("this file system keeps no such name: %v", err)
	}
	if _, err := Files(os.DirFS(dir)); !errors.Is(err, ErrName) {
		t.Errorf("a name that is not UTF-8: %v", err)
	}
}
