package passport

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	pass "github.com/provenir/provenir/passport"
)

// What a server names stays in the folder, and a folder is whole or it is not there.
func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	files := []*governancev1.PassportFile{{Name: "bom.json", Content: []byte("b")}, {Name: "keys/signer.pem", Content: []byte("k")}}
	if err := unpack(files, out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bom.json": "b", "keys/signer.pem": "k"} {
		if b, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, bad := range []string{"../evil", "/etc/evil", "keys/../../evil", "", "."} {
		where := filepath.Join(dir, "bad")
		if err := unpack(append(files[:1:1], &governancev1.PassportFile{Name: bad}), where); err == nil {
			t.Errorf("%q was written", bad)
		}
		if _, err := os.Lstat(where); err == nil {
			t.Errorf("%q left half a folder", bad)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := unpack(files, filepath.Join(dir, "no", "such")); err == nil {
		t.Error("a folder in none")
	}
}

func TestAbout(t *testing.T) {
	s := &pass.Statement{Predicate: pass.Predicate{ModelID: "m", RunID: "r", RunState: "failed"}}
	if got := about(s); got != "model m of run r, which failed" {
		t.Error(got)
	}
	s.PredicateType = pass.RunPredicateType
	if got := about(s); got != "run r, recorded by a tracker, which failed" {
		t.Error(got)
	}
	s.Predicate.Partial = true
	if got := about(s); !strings.HasSuffix(got, "; it is partial: not all of it was made, or not all of it was recorded") {
		t.Error(got)
	}
}
