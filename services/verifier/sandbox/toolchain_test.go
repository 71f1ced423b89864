//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeRust puts a rustc on PATH that tells of a toolchain in home, with a compiler in it.
func fakeRust(t *testing.T, home string) {
	t.Helper()
	bin := t.TempDir()
	for dir, text := range map[string]string{bin: fmt.Sprintf("#!/bin/sh\necho %s\n", home), filepath.Join(home, "bin"): "#!/bin/sh\n"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "rustc"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// elsewhere is a folder for a toolchain that everybody can enter.
func elsewhere(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "toolchain")
}

func rust(t *testing.T) (language, string) {
	t.Helper()
	root := rootPlan{Trees: []string{"/usr"}}
	if path, _ := findTool("gcc", &root); path == "" {
		t.Skip("no gcc")
	}
	if path, _ := findTool("rustc", &root); path != "" {
		t.Skip("the machine has a rustc of its own")
	}
	return findLanguage("rust", &root)
}

// Of a home, jobs are shown the toolchain and nothing else.
func TestAToolchainBelowAHome(t *testing.T) {
	home := elsewhere(t)
	fakeRust(t, home)
	l, missing := rust(t)
	if missing != "" || !slices.Equal(l.trees, []string{home}) || len(l.shown) > 0 {
		t.Fatalf("%q, trees %v, shown %v", missing, l.trees, l.shown)
	}
	if c := strings.Join(l.compile[0], " "); !strings.Contains(c, home+"/bin/rustc --sysroot "+home) || !strings.Contains(c, "LD_LIBRARY_PATH="+home+"/lib") || strings.Contains(c, "@") {
		t.Errorf("%s", c)
	}
}

func TestToolchainsThatCannotBeUsed(t *testing.T) {
	tests := []struct {
		name, want string
		home       func(t *testing.T) string
	}{
		{"closed to others", "is closed to others", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "toolchain")
		}},
		{"the home itself", "is a home", func(t *testing.T) string {
			dir := t.TempDir()
			t.Setenv("HOME", dir)
			return dir
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if os.Getuid() != 0 && strings.HasPrefix(tt.name, "closed") {
				t.Skip("jobs run as this user, who may enter")
			}
			fakeRust(t, tt.home(t))
			if l, missing := rust(t); !strings.Contains(missing, tt.want) || len(l.trees) > 0 {
				t.Errorf("%q does not say %q; trees %v", missing, tt.want, l.trees)
			}
		})
	}
	t.Run("gone", func(t *testing.T) {
		home := elsewhere(t)
		fakeRust(t, home)
		if err := os.RemoveAll(home); err != nil {
			t.Fatal(err)
		}
		if _, missing := rust(t); !strings.Contains(missing, "no such file") {
			t.Errorf("%q", missing)
		}
	})
}

// What was found is not asked again; what was not found is, since it may have come.
func TestToolchainsAreRemembered(t *testing.T) {
	home := elsewhere(t)
	fakeRust(t, home)
	if _, missing := rust(t); missing != "" {
		t.Fatal(missing)
	}
	root, known := rootPlan{Trees: []string{"/usr"}}, &toolchains{}
	if _, missing := known.find("rust", &root); missing != "" {
		t.Fatal(missing)
	}
	was := os.Getenv("PATH")
	t.Setenv("PATH", "/nowhere")
	if l, missing := known.find("rust", &root); missing != "" || l.trees[0] != home {
		t.Errorf("%q, %v", missing, l.trees)
	}
	fresh := &toolchains{}
	if _, missing := fresh.find("rust", &root); !strings.Contains(missing, "nor on PATH") {
		t.Errorf("%q", missing)
	}
	t.Setenv("PATH", was)
	if _, missing := fresh.find("rust", &root); missing != "" {
		t.Errorf("it is here now: %q", missing)
	}
}

// A compiler that cannot even be started says nothing of the source: the candidate is not at fault.
func TestACompilerThatDoesNotStart(t *testing.T) {
	home := elsewhere(t)
	fakeRust(t, home)
	rust(t) // or skip
	if err := os.WriteFile(filepath.Join(home, "bin", "rustc"), []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := pool(t, Config{})
	if r, err := p.Run(t.Context(), Job{Language: "rust", Source: "fn main() {}"}); !errors.Is(err, ErrLanguage) || !strings.Contains(err.Error(), "could not be started") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTheHeapIsTheMemoryLimit(t *testing.T) {
	for _, l := range languages {
		if l.name != "java" {
			continue
		}
		if run := strings.Join(l.runs(256<<20), " "); !strings.Contains(run, "-Xmx256m") || strings.Contains(run, "@memory") {
			t.Errorf("%s", run)
		}
		if again := strings.Join(l.run, " "); !strings.Contains(again, "@memory") {
			t.Error("the table was changed")
		}
	}
}
