package passport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
)

func pemOf(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestParsePublicKey(t *testing.T) {
	k := key(t, "a")
	good := pemOf(t, k.Public())
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in, says string
	}{
		{"good", string(good), ""},
		{"white space around", "\n" + string(good) + "\n\n", ""},
		{"windows line ends", strings.ReplaceAll(string(good), "\n", "\r\n"), ""},
		{"two keys", string(good) + string(good), "one PUBLIC KEY"},
		{"text before", "my key\n" + string(good), "one PUBLIC KEY"},
		{"P-384", string(pemOf(t, &p384.PublicKey)), "P-256"},
		{"Ed25519", string(pemOf(t, edwards)), "P-256"},
		{"a private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "private"},
		{"a certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})), "CERTIFICATE"},
		{"no key inside", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}})), "public key"},
		{"no PEM", "x", "PEM"}, {"nothing", "", "PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParsePublicKey([]byte(c.in))
			switch {
			case c.says == "" && (err != nil || !got.Equal(k.Public())):
				t.Error(err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// The id is the digest of the re-encoded PEM: white space of the file that a person copied does not change it.
func TestKeyID(t *testing.T) {
	k := key(t, "a")
	b, err := PublicPEM(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(b)
	if id, err := KeyID(k.Public()); err != nil || id != hex.EncodeToString(h[:]) {
		t.Errorf("%s, %v", id, err)
	}
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	if len(lines) != 4 || len(lines[1]) != 64 || !bytes.HasSuffix(b, []byte("-----\n")) {
		t.Errorf("the PEM has not 64 columns and a final newline:\n%s", b)
	}
	other, err := KeyID(key(t, "b").Public())
	if err != nil || other == hex.EncodeToString(h[:]) {
		t.Errorf("two keys have one id, %v", err)
	}
}

func TestSignatures(t *testing.T) {
	k := key(t, "a")
	one, err := k.Sign([]byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := k.Sign([]byte("m"))
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("one message has two signatures, %v", err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256([]byte("m"))
	foreign, err := ecdsa.SignASN1(rand.Reader, p384, h[:])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		key     *ecdsa.PublicKey
		message string
		sig     []byte
		want    bool
	}{
		{"good", k.Public(), "m", one, true}, {"other message", k.Public(), "n", one, false}, {"other key", key(t, "b").Public(), "m", one, false},
		{"no key", nil, "m", one, false}, {"cut off", k.Public(), "m", one[:8], false}, {"empty", k.Public(), "m", nil, false},
		{"another curve", &p384.PublicKey, "m", foreign, false},
	} {
		if got := verifies(c.key, []byte(c.message), c.sig); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	b, err := PublicPEM(key(f, "a").Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParsePublicKey(b)
		if err != nil {
			return
		}
		again, err := PublicPEM(k)
		if err != nil {
			t.Fatal(err)
		}
		if k2, err := ParsePublicKey(again); err != nil || !k2.Equal(k) {
			t.Errorf("the key of %q is not read back: %v", b, err)
		}
	})
}
