package ledger

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/cli/app"
	led "github.com/provenir/provenir/ledger"
)

func TestPayloads(t *testing.T) {
	content := []byte("a payload")
	sum := sha256.Sum256(content)
	name := fmt.Sprintf("%x", sum)
	frame := led.Frame{Entry: led.Entry{Digest: sum, Length: uint64(len(content))}, Flags: led.StoredAsBlob, Stored: led.BlobPayload(uint64(len(content)), "text/plain")}
	tests := []struct {
		name  string
		file  string // empty for none
		bytes []byte
		flags led.FrameFlags
		want  led.DigestState
	}{
		{"as a mesh keeps it", filepath.Join(name[:2], name), content, led.StoredAsBlob, led.DigestOK},
		{"as it was shipped", name, content, led.StoredAsBlob, led.DigestOK},
		{"missing", "", nil, led.StoredAsBlob, led.DigestMissing},
		{"other bytes", name, []byte("a payloaD"), led.StoredAsBlob, led.DigestWrong},
		{"cut short", name, content[:3], led.StoredAsBlob, led.DigestWrong},
		{"no blob", name, content, 0, led.DigestUnchecked},
		{"encrypted", name, content, led.StoredAsBlob | led.StoredEncrypted, led.DigestUnchecked},
		{"encrypted, and other ciphertext", name, []byte("other"), led.StoredAsBlob | led.StoredEncrypted, led.DigestWrong},
		{"encrypted, and missing", "", nil, led.StoredAsBlob | led.StoredEncrypted, led.DigestMissing},
		{"encrypted in its frame", name, content, led.StoredEncrypted, led.DigestUnchecked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.file != "" {
				at := filepath.Join(dir, tt.file)
				if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(at, tt.bytes, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			check, err := payloads(dir)
			if err != nil {
				t.Fatal(err)
			}
			f := frame
			if f.Flags = tt.flags; tt.flags&led.StoredEncrypted != 0 {
				f.Digest = led.Hash{1}
				f.Stored = led.SealedBlobPayload(f.Length, [16]byte{}, sum, make([]byte, 19), "text/plain")
			}
			if got := check(&f); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	if _, err := payloads(filepath.Join(t.TempDir(), "none")); app.Code(err) != 2 {
		t.Errorf("a folder that is none: %v", err)
	}
}

func TestBlobsBeside(t *testing.T) {
	data := t.TempDir()
	run := filepath.Join(data, "ledger", "default", "run-1")
	for _, dir := range []string{run, filepath.Join(data, "other", "default", "run-1")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got := blobsBeside(run); got != "" {
		t.Errorf("without a folder of blobs: %q", got)
	}
	if err := os.Mkdir(filepath.Join(data, "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := blobsBeside(run); got != filepath.Join(data, "blobs") {
		t.Errorf("%q", got)
	}
	if got := blobsBeside(filepath.Join(data, "other", "default", "run-1")); got != "" {
		t.Errorf("of a folder that is no ledger: %q", got)
	}
}
