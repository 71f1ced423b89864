//go:build linux

package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ownPython makes a virtual environment with an interpreter of its own, which a test may replace, and the given packages.
func ownPython(t *testing.T, packages map[string]string) string {
	t.Helper()
	i, err := discover(t.Context(), "", readableBySandbox)
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "provenir-venv-") //nolint:usetesting // t.TempDir is closed to the sandbox's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(i.Path)
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(dir, "bin", "python3")
	put(t, python, string(binary), 0o755)
	put(t, filepath.Join(dir, "pyvenv.cfg"), "home = "+filepath.Dir(i.Path)+"\ninclude-system-site-packages = false\n", 0o644)
	site := filepath.Join(dir, "lib", filepath.Base(i.Path), "site-packages")
	if !strings.HasPrefix(filepath.Base(i.Path), "python3.") {
		t.Skipf("%s does not name its version", i.Path)
	}
	for name, text := range packages {
		put(t, filepath.Join(site, name), text, 0o644)
	}
	return python
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// TestInterpreterReplaced: jobs after a replacement run in zygotes of the new interpreter and name it; the same file again is
// no replacement, and one that is gone is an error and no verdict.
func TestInterpreterReplaced(t *testing.T) {
	python := ownPython(t, nil)
	p := pool(t, Config{Python: python, PoolSize: 1})
	run := func() (Result, int) {
		r, err := p.Run(t.Context(), Job{Source: "print(1)"})
		if err != nil || string(r.Stdout) != "1\n" {
			t.Fatalf("%+v, %v: %s", r, err, r.Stderr)
		}
		return r, p.idle[0].zygote.cmd.Process.Pid
	}
	first, zygote := run()
	before, err := p.Identity(t.Context())
	if err != nil || before.Binary != first.Binary || len(before.Binary) != 64 {
		t.Fatal(before, first.Binary, err)
	}
	b, err := os.ReadFile(python)
	if err != nil {
		t.Fatal(err)
	}
	put(t, python, string(b), 0o755) // another file with the same bytes
	if same, z := run(); same.Binary != first.Binary || z != zygote {
		t.Errorf("the same interpreter counts as another one")
	}
	put(t, python, string(b)+"\n# more", 0o755)
	other, z := run()
	if other.Binary == first.Binary || z == zygote {
		t.Errorf("a job ran in a zygote of the interpreter that was replaced: %v", other.Binary)
	}
	after, err := p.Identity(t.Context())
	if err != nil || after.Binary != other.Binary || after.Library != before.Library {
		t.Errorf("%+v, %v", after, err)
	}
	if r, err := p.Report(t.Context()); err != nil || !strings.HasPrefix(r.Interpreters[0], python) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Remove(python); err != nil {
		t.Fatal(err)
	}
	var layout *LayoutError
	if _, err := p.Run(t.Context(), Job{Source: "print(1)"}); !errors.As(err, &layout) && !errors.Is(err, ErrLanguage) {
		t.Errorf("no interpreter: %v", err)
	}
	put(t, python, string(b), 0o755)
	if back, _ := run(); back.Binary != first.Binary {
		t.Errorf("%v", back.Binary)
	}
}
