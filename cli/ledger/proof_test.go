package ledger

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/cli/app"
	led "github.com/provenir/provenir/ledger"
)

// called runs the noun as people do.
func called(t *testing.T, stdin string, args ...string) (out string, code int, err error) {
	t.Helper()
	var b bytes.Buffer
	a := &app.App{In: strings.NewReader(stdin), Out: &b, Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", filepath.Join(t.TempDir(), "data"), "ledger"}, args...))
	err = root.ExecuteContext(t.Context())
	return b.String(), app.Code(err), err
}

// twoRecords is the proof of the first of two records, and the file of the key that signed.
func twoRecords(t *testing.T) (p proved, vkey string) {
	t.Helper()
	skey, public, err := note.GenerateKey(rand.Reader, "recorder")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	a, b := led.NewEntry(0, led.RunOpen, []byte("open")), led.NewEntry(1, led.Step, []byte("step"))
	la, lb := a.Leaf(), b.Leaf()
	root := led.Hash(sha256.Sum256(slices.Concat([]byte{1}, la[:], lb[:])))
	signed, err := led.Checkpoint{Origin: led.Origin("default", "run", led.Events), Size: 2, Root: root}.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	vkey = filepath.Join(t.TempDir(), "log.vkey")
	if err := os.WriteFile(vkey, []byte(public+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return proved{Entry: hex.EncodeToString(a.AppendBinary(nil)), Leaf: hex.EncodeToString(la[:]), Hashes: []string{hex.EncodeToString(lb[:])}, Checkpoint: string(signed)}, vkey
}

func TestCheckProof(t *testing.T) {
	good, vkey := twoRecords(t)
	_, other := twoRecords(t)
	changed := func(change func(*proved)) string {
		p := good
		p.Hashes = slices.Clone(good.Hashes)
		change(&p)
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	same := func(*proved) {}
	tests := []struct {
		name, proof, key string
		code             int
	}{
		{"holds", changed(same), vkey, 0},
		{"no key", changed(same), "", 3},
		{"another key", changed(same), other, 1},
		{"another record", changed(func(p *proved) { p.Entry = strings.Replace(p.Entry, "0001", "0005", 1) }), vkey, 1},
		{"another place", changed(func(p *proved) { p.Seq = 1 }), vkey, 1},
		{"another hash", changed(func(p *proved) { p.Hashes[0] = p.Leaf }), vkey, 1},
		{"a hash too many", changed(func(p *proved) { p.Hashes = append(p.Hashes, p.Leaf) }), vkey, 1},
		{"another size", changed(func(p *proved) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n2\n", "\n3\n", 1) }), vkey, 1},
		{"a short entry", changed(func(p *proved) { p.Entry = "00" }), vkey, 2},
		{"a hash that is none", changed(func(p *proved) { p.Hashes[0] = "zz" }), vkey, 2},
		{"no checkpoint", changed(func(p *proved) { p.Checkpoint = "" }), vkey, 2},
		{"no JSON", "{", vkey, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"proof", "--check", "-"}
			if tt.key != "" {
				args = append(args, "--vkey", tt.key)
			}
			if out, code, err := called(t, tt.proof, args...); code != tt.code || (code != 0 && out != "") {
				t.Errorf("exit %d (%v), %q; want %d", code, err, out, tt.code)
			}
		})
	}
}

func TestExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run1")
	for name, text := range map[string]string{"events/00000000.seg": "seg", "events/00000000.idx": "idx", "events/checkpoint": "c", "events/tile/0": "t", "seal": "s"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "run.tar")
	if _, code, err := called(t, "", "export", dir, "--out", file); code != 0 {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	// What is signed stands before what it signs; indexes are made anew where they are needed.
	if want := []string{"run1/events/checkpoint", "run1/seal", "run1/events/tile/0", "run1/events/00000000.seg"}; !slices.Equal(names, want) {
		t.Errorf("packed %q, want %q", names, want)
	}
	if _, code, _ := called(t, "", "export", dir, "--out", file); code != 2 {
		t.Errorf("an archive was replaced without --force: exit %d", code)
	}
	if _, code, _ := called(t, "", "export", t.TempDir(), "--out", file, "--force"); code != 2 {
		t.Errorf("a folder without a log was packed: exit %d", code)
	}
}

// An erasure is asked for in full before anybody is connected to.
func TestEraseWantsItSaid(t *testing.T) {
	for _, args := range [][]string{{"erase", "@last"}, {"erase", "@last", "--group", "g"}, {"erase", "@last", "--yes"}, {"erase", "--group", "g", "--yes"}} {
		if _, code, err := called(t, "", args...); code != 2 {
			t.Errorf("%v: exit %d, %v", args, code, err)
		}
	}
}
