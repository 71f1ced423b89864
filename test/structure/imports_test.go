// Package structure holds the checks of the tree itself: who may import whom, and how large files get.
package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/provenir/provenir/"

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	cmd.Dir = "../.."
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var out []pkg
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

// rooms are the first part of a path and what it may import of the project.
var rooms = map[string][]string{
	"cmd":      {"cli"},
	"cli":      {"cli", "mesh", "gen", "ledger", "passport", "internal"},
	"mesh":     {"mesh", "services", "internal", "gen"},
	"services": {"services", "internal", "gen", "ledger", "passport"},
	"internal": {"internal", "gen"},
	"ledger":   {"ledger"},
	"passport": {"passport"},
	"gen":      {"gen"},
	"test":     {"cmd", "cli", "mesh", "services", "internal", "gen", "ledger", "passport"},
	"examples": {"gen"},
}

func room(path string) (string, string) {
	parts := strings.SplitN(strings.TrimPrefix(path, module), "/", 3)
	if len(parts) == 1 {
		return parts[0], ""
	}
	return parts[0], parts[1]
}

func TestNothingPointsBack(t *testing.T) {
	all := packages(t)
	if len(all) < 20 {
		t.Fatalf("go list found %d packages: the test would check nothing", len(all))
	}
	for _, p := range all {
		from, service := room(p.ImportPath)
		allowed, known := rooms[from]
		if !known {
			t.Errorf("%s is in no room of the design", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, module) {
				continue
			}
			to, other := room(i)
			if !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s: %s may import %v only", p.ImportPath, i, from, allowed)
			}
			if from == "services" && to == "services" && service != other {
				t.Errorf("%s imports %s: a service holds clients of another, never its code", p.ImportPath, i)
			}
		}
	}
}

// public packages are embedded by others: they may bring only what governance.md names.
func TestPublicPackagesStayLight(t *testing.T) {
	allowed := []string{"golang.org/x/", "github.com/gowebpki/jcs", module + "ledger", module + "passport"}
	for _, p := range packages(t) {
		if r, _ := room(p.ImportPath); r != "ledger" && r != "passport" {
			continue
		}
		for _, i := range p.Imports {
			if !strings.Contains(strings.SplitN(i, "/", 2)[0], ".") {
				continue // the standard library
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(i, a) }) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
}
