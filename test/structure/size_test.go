package structure

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFilesStaySmall: no source file above 500 lines, nine of ten at most 300, half at most 120.
func TestFilesStaySmall(t *testing.T) {
	var sizes []int
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(path, ".") && path != "." || path == "gen" || path == "bin" || path == "lib" || path == "third_party") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		n := bytes.Count(b, []byte("\n"))
		if n > 500 {
			t.Errorf("%s has %d lines, want at most 500: it is two ideas", path, n)
		}
		if !strings.HasSuffix(path, "_test.go") {
			sizes = append(sizes, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(sizes)
	if median := sizes[len(sizes)/2]; median > 120 {
		t.Errorf("the median source file has %d lines, want at most 120", median)
	}
	if p90 := sizes[len(sizes)*9/10]; p90 > 300 {
		t.Errorf("one source file in ten has more than %d lines, want 300", p90)
	}
}

// TestNoDrawers: folders are named after what is in them.
func TestNoDrawers(t *testing.T) {
	for _, p := range packages(t) {
		for _, part := range strings.Split(strings.TrimPrefix(p.ImportPath, module), "/") {
			switch part {
			case "util", "utils", "common", "helpers", "helper", "shared", "misc", "lib":
				t.Errorf("%s: name the folder after what it does", p.ImportPath)
			}
		}
	}
}
