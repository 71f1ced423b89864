package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Interpreter is a Python that can be shown to a job.
type Interpreter struct {
	Path    string   `json:"executable"`
	Version string   `json:"version"`
	Prefix  string   `json:"prefix"`
	Base    string   `json:"base_prefix"`
	Number  []int    `json:"number"`
	Library []string `json:"library"`
	Site    []string `json:"site"` // folders of packages, which jobs see with site_packages alone
	Venv    string   `json:"-"`    // of a virtual environment; empty where there is none
	Sum     string   `json:"-"`    // SHA-256 of the file
}

func (i *Interpreter) said() string { return i.Path + " " + i.Version }

const ask = `import json,site,sys
print(json.dumps({"executable":sys.executable,"version":sys.version.split("\n")[0],"prefix":sys.prefix,"base_prefix":sys.base_prefix,"number":list(sys.version_info[:3]),"library":sys.path,"site":site.getsitepackages()}))`

// askInterpreter lets a Python tell of itself. What PATH finds may be a shim: the answer names the real one.
func askInterpreter(ctx context.Context, path string) (*Interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-I", "-S", "-c", ask)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	b, err := cmd.Output()
	if err != nil {
		return nil, &LayoutError{path, "it does not answer: " + err.Error()}
	}
	var i Interpreter
	if err := json.Unmarshal(b, &i); err != nil || len(i.Number) < 2 {
		return nil, &LayoutError{path, "it does not tell its version"}
	}
	if i.Path, err = filepath.EvalSymlinks(i.Path); err != nil {
		return nil, &LayoutError{path, err.Error()}
	}
	return &i, nil
}

// discover finds the interpreter: the configured one, or the first of PATH and /usr/bin that fits.
func discover(ctx context.Context, configured string, readable func(path string) error) (*Interpreter, error) {
	if configured != "" {
		return vetted(ctx, configured, readable)
	}
	var first error
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil {
			var i *Interpreter
			if i, err = vetted(ctx, path, readable); err == nil {
				return i, nil
			}
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("%w: no Python that the sandbox can use; name one with python=: %w", ErrLanguage, first)
}

func vetted(ctx context.Context, path string, readable func(string) error) (*Interpreter, error) {
	i, err := askInterpreter(ctx, path)
	if err != nil {
		return nil, err
	}
	if reason := i.refuse(os.Getenv("HOME")); reason != "" {
		return nil, &LayoutError{i.Path, reason}
	}
	if err := i.readSite(path); err != nil {
		return nil, err
	}
	for _, p := range append([]string{i.Path}, i.Library...) {
		if _, err := os.Stat(p); os.IsNotExist(err) {
			continue // sys.path names a zip that is seldom there
		}
		if err := readable(p); err != nil {
			return nil, &LayoutError{i.Path, "the sandbox's user cannot read " + p + ": " + err.Error()}
		}
	}
	h := sha256.New()
	if err := addFile(h, i.Path); err != nil {
		return nil, &LayoutError{i.Path, err.Error()}
	}
	i.Sum = hex.EncodeToString(h.Sum(nil))
	return i, nil
}

// refuse says why showing the interpreter's trees would show too much, or nothing.
func (i *Interpreter) refuse(home string) string {
	if i.Number[0] != 3 || i.Number[1] < 9 {
		return "version " + i.Version + ", want 3.9 or later"
	}
	for _, p := range []string{i.Prefix, i.Base} {
		if reason := refusePrefix(p, home); reason != "" {
			return reason
		}
	}
	return ""
}

func refusePrefix(p, home string) string {
	switch {
	case p == "/" || p == "":
		return "its prefix is the whole file system"
	case p == home || p == "/root" || filepath.Dir(p) == "/home":
		return "its prefix " + p + " is a home"
	}
	return ""
}

// with is a root in which a profile's packages are to be seen too.
func (p rootPlan) with(site []string) rootPlan {
	for _, dir := range site {
		if !slices.ContainsFunc(p.Trees, func(tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") }) {
			p.Trees = append(slices.Clone(p.Trees), dir)
		}
	}
	return p
}

// plan is the root in which the interpreter runs. /usr is shown as a whole: the loader's libraries, shells and compilers
// are there, and nothing that is a secret of this machine's users.
func (i *Interpreter) plan() rootPlan {
	p := rootPlan{Trees: []string{"/usr"}, Links: map[string]string{}, Devices: []string{"null", "zero", "urandom"}}
	for _, d := range []string{"bin", "lib", "lib64", "lib32"} {
		info, err := os.Lstat("/" + d)
		switch {
		case err != nil:
		case info.Mode()&os.ModeSymlink != 0:
			if target, err := os.Readlink("/" + d); err == nil {
				p.Links[d] = target
			}
		case info.IsDir():
			p.Trees = append(p.Trees, "/"+d)
		}
	}
	prefixes := []string{i.Base, i.Prefix}
	if i.Venv != "" && strings.HasPrefix(i.Path, i.Venv+"/") { // made with --copies: the interpreter itself is there
		prefixes = append(prefixes, i.Venv)
	}
	for _, prefix := range prefixes {
		if prefix != "/usr" && !strings.HasPrefix(prefix, "/usr/") && !slices.Contains(p.Trees, prefix) {
			p.Trees = append(p.Trees, prefix)
		}
	}
	return p
}
