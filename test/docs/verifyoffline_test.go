package docs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/provenir/provenir/passport"
)

// TestTheCommandsVerify runs what verify-offline.md tells a stranger to type, on a good folder and on spoiled ones.
func TestTheCommandsVerify(t *testing.T) {
	for _, tool := range []string{"bash", "openssl", "jq", "sha256sum", "base64", "cmp", "diff"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s on this machine: the commands of verify-offline.md were not run", tool)
		}
	}
	page, err := os.ReadFile("../../docs/verify-offline.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "## Without provenir")
	part, _, _ = strings.Cut(part, "## With Sigstore's tools")
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(part, -1) {
		script.WriteString(block[1])
	}
	if strings.Count(script.String(), "openssl dgst") != 2 {
		t.Fatalf("the page's commands have changed:\n%s", script.String())
	}
	for _, c := range []struct {
		name   string
		change func(dir string) error
		ok     bool
	}{
		{"good", func(string) error { return nil }, true},
		{"another statement", func(dir string) error { return spoil(dir, "passport.json") }, false},
		{"another file", func(dir string) error { return spoil(dir, "model/sub/config.json") }, false},
		{"one file more", func(dir string) error { return os.WriteFile(filepath.Join(dir, "model", "more"), nil, 0o600) }, false},
		{"one file less", func(dir string) error { return os.Remove(filepath.Join(dir, "model", "model.safetensors")) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script.String())
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); (err == nil) != c.ok {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func spoil(dir, name string) error {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(b, ' '), 0o600)
}

// folder is a passport's as governance writes it, as far as the commands read it.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := passport.Key{PrivateKey: private}
	public, err := passport.PublicPEM(k.Public())
	write("keys/signer.pem", public, err)
	write("model/model.safetensors", []byte("weights"), nil)
	write("model/sub/config.json", []byte("{}"), nil)
	bom := []byte(`{"schema":"provenir.bom/v1"}`)
	write("bom.json", bom, nil)
	files, err := passport.Files(os.DirFS(filepath.Join(dir, "model")))
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(bom)
	s, err := passport.Statement{Type: passport.StatementType, PredicateType: passport.PredicateType, Subject: passport.Subjects("m", files),
		Predicate: passport.Predicate{Schema: passport.Schema, BOM: passport.Document{Digest: map[string]string{"sha256": hex.EncodeToString(h[:])}}}}.Encode()
	write("passport.json", s, err)
	blob, err := passport.SignMessage(k, s)
	write("passport.sigstore.json", blob, err)
	envelope, err := passport.SignEnvelope(k, passport.PayloadType, s)
	write("passport.intoto.sigstore.json", envelope, err)
	return dir
}
