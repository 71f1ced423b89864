package passport

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A program that shares no line with us verifies what we sign: the messageSignature directly, the envelope over its PAE.
func TestOpenSSLVerifies(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl on this machine: signatures were checked by this package only")
	}
	k := key(t, "a")
	statement, err := statement(t, k).Encode()
	if err != nil {
		t.Fatal(err)
	}
	public, err := PublicPEM(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := SignMessage(k, statement)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := DecodeBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(statement)
	if m := blob.MessageSignature.MessageDigest; m.Algorithm != "SHA2_256" || m.Digest != base64.StdEncoding.EncodeToString(digest[:]) {
		t.Errorf("messageDigest %+v", m)
	}
	if raw, err = SignEnvelope(k, PayloadType, statement); err != nil {
		t.Fatal(err)
	}
	envelope, err := DecodeBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, sig string
		message   []byte
		ok        bool
	}{
		{"the file", blob.MessageSignature.Signature, statement, true},
		{"the envelope", envelope.DSSEEnvelope.Signatures[0].Sig, PAE(PayloadType, statement), true},
		{"another file", blob.MessageSignature.Signature, append([]byte(" "), statement...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sig, err := base64.StdEncoding.DecodeString(c.sig)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for name, b := range map[string][]byte{"pub.pem": public, "sig": sig, "message": c.message} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), tool, "dgst", "-sha256", "-verify", "pub.pem", "-signature", "sig", "message")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); (err == nil) != c.ok {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
