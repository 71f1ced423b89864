package governance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/passport"
)

// The rows of governance.md section 7 that seal and countersign can meet. What is behind them in detail: passport (bundle,
// JSON, model folder), keys, seal.

// A model's name is a text in signed bytes and never a path: the run's uid names the folder.
func TestANameIsNoPath(t *testing.T) {
	for _, name := range []string{"../../x", "/etc/passwd", "org/name", `a\b`, "<script>alert(1)</script>", "a\nb", "\u202egpj.exe", strings.Repeat("x", 5000), "日本"} {
		t.Run(name[:min(len(name), 12)], func(t *testing.T) {
			r := newRig(t)
			doc := r.doc()
			doc["run"].(map[string]any)["name"] = name
			req := r.request()
			req.Document = r.encode(doc)
			sealed, err := r.seal(req)
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(r.dir, "passports", run); sealed.GetFolder() != want {
				t.Errorf("folder %s, want %s", sealed.GetFolder(), want)
			}
			s, err := passport.DecodeStatement(r.read(filePassport))
			if err != nil || s.Predicate.ModelID != name {
				t.Errorf("named %q, %v", s.Predicate.ModelID, err)
			}
			entries, err := os.ReadDir(filepath.Join(r.dir, "passports"))
			if err != nil || len(entries) != 1 || entries[0].Name() != run {
				t.Errorf("%v, %v", entries, err)
			}
		})
	}
}

// A file that holds a key of another type is refused; it is not replaced, because somebody put it there.
func TestACosignerKeyOfAnotherTypeIsRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"ecdsa":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"nothing": {},
		"cut off": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:20]}),
	} {
		t.Run(name, func(t *testing.T) {
			r, x := newRig(t), grow(t, "log", 5)
			file := filepath.Join(r.dir, "keys", "cosigner.pem")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			resp, err := r.countersign(x, 0, 5)
			if err == nil {
				t.Fatalf("cosigned: %v", resp)
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != string(content) {
				t.Errorf("the file was replaced: %v", err)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "keys", "cosigner.vkey")); err == nil {
				t.Error("a public key was written for a key that is none")
			}
		})
	}
}

// A document that has no single meaning is refused before anything is made of it.
func TestDocumentsWithoutASingleMeaningAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(string) string
		want corev1.ErrorReason
	}{
		{"a key twice, deep inside", func(d string) string { return strings.Replace(d, `"vkey":`, `"vkey":"x","vkey":`, 1) }, corev1.ErrorReason_ERROR_REASON_JSON_DUPLICATE_KEY},
		{"NaN", func(d string) string { return strings.Replace(d, `"cosigned":false`, `"cosigned":NaN`, 1) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"half a surrogate", func(d string) string { return strings.Replace(d, `org/name`, `\ud800`, 1) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"2^53+1", func(d string) string { return strings.Replace(d, `"size":10`, `"size":9007199254740993`, 1) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a depth bomb", func(string) string { return strings.Repeat(`{"a":`, 1<<16) }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a byte-order mark", func(d string) string { return "\xef\xbb\xbf" + d }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"two documents", func(d string) string { return d + d }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
		{"a checkpoint of another run", func(d string) string { return strings.ReplaceAll(d, run, strings.Repeat("a", 26)) }, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			req := r.request()
			req.Document = []byte(c.edit(string(req.GetDocument())))
			if _, err := r.seal(req); !rpc.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			r.nothingLeft()
		})
	}
}
