package vault

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// sealedBlob encrypts a payload and gives its frame and its ciphertext.
func sealedBlob(t *testing.T, v *Vault, plain []byte) (*ledger.Frame, []byte) {
	t.Helper()
	digest, err := v.DigestBlob(t.Context(), "acme", "run-1", "alice", 7, bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Seq: 7, Type: ledger.Rollout, Length: uint64(len(plain)), Digest: digest}
	var out bytes.Buffer
	key, nonce, err := v.SealBlob(t.Context(), "acme", "run-1", "alice", e, iotest.HalfReader(bytes.NewReader(plain)), &out)
	if err != nil {
		t.Fatal(err)
	}
	return &ledger.Frame{Entry: e, Flags: ledger.StoredAsBlob | ledger.StoredEncrypted,
		Stored: ledger.SealedBlobPayload(e.Length, key, sha256.Sum256(out.Bytes()), nonce, "text/plain")}, out.Bytes()
}

func TestSealBlob(t *testing.T) {
	v := open(t)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 3*chunkSize + 17} {
		plain := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		f, sealed := sealedBlob(t, v, plain)
		if size > 20 && bytes.Contains(sealed, plain[:20]) {
			t.Errorf("%d bytes: the text is in the ciphertext", size)
		}
		var got bytes.Buffer
		if err := v.OpenBlob(t.Context(), f, iotest.OneByteReader(bytes.NewReader(sealed)), &got); size < 100 && (err != nil || !bytes.Equal(got.Bytes(), plain)) {
			t.Errorf("%d bytes, one by one: %v", size, err)
		}
		got.Reset()
		if err := v.OpenBlob(t.Context(), f, bytes.NewReader(sealed), &got); err != nil || !bytes.Equal(got.Bytes(), plain) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if small, err := v.Digest(t.Context(), "acme", "run-1", "alice", 7, plain); err != nil || small != f.Digest {
			t.Errorf("%d bytes: the digest depends on how the payload is stored: %v", size, err)
		}
	}
}

// Whatever is done to the ciphertext, or to what the frame says of it, nothing comes out that passes for the payload.
func TestOpenBlobRefuses(t *testing.T) {
	v := open(t)
	plain := bytes.Repeat([]byte("0123456789"), 3*chunkSize/10)
	const sealedChunk = chunkSize + 16
	tests := []struct {
		name   string
		change func(f *ledger.Frame, b []byte) []byte
	}{
		{"a flipped bit", func(_ *ledger.Frame, b []byte) []byte { b[len(b)/2] ^= 1; return b }},
		{"the last chunk is missing", func(_ *ledger.Frame, b []byte) []byte { return b[:2*sealedChunk] }},
		{"a chunk is missing", func(_ *ledger.Frame, b []byte) []byte {
			return append(b[:sealedChunk:sealedChunk], b[2*sealedChunk:]...)
		}},
		{"chunks are swapped", func(_ *ledger.Frame, b []byte) []byte {
			out := append([]byte(nil), b[sealedChunk:2*sealedChunk]...)
			return append(append(out, b[:sealedChunk]...), b[2*sealedChunk:]...)
		}},
		{"cut short", func(_ *ledger.Frame, b []byte) []byte { return b[:len(b)-1] }},
		{"bytes behind it", func(_ *ledger.Frame, b []byte) []byte { return append(b, 0) }},
		{"nothing", func(*ledger.Frame, []byte) []byte { return nil }},
		{"another record", func(f *ledger.Frame, b []byte) []byte { f.Seq++; return b }},
		{"another type", func(f *ledger.Frame, b []byte) []byte { f.Type = ledger.Verdict; return b }},
		{"another length", func(f *ledger.Frame, b []byte) []byte { f.Length++; return b }},
		{"another nonce", func(f *ledger.Frame, b []byte) []byte { f.Stored[8+16+32] ^= 1; return b }},
		{"no blob", func(f *ledger.Frame, b []byte) []byte { f.Flags = ledger.StoredEncrypted; return b }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, sealed := sealedBlob(t, v, plain)
			sealed = tt.change(f, sealed)
			if err := v.OpenBlob(t.Context(), f, bytes.NewReader(sealed), io.Discard); err == nil {
				t.Error("it opens")
			}
		})
	}
}

func TestErasedBlob(t *testing.T) {
	v := open(t)
	f, sealed := sealedBlob(t, v, []byte("hello"))
	if err := v.Readable(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Erase(t.Context(), "acme", "run-1", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := v.OpenBlob(t.Context(), f, bytes.NewReader(sealed), io.Discard); !errors.Is(err, store.ErrErased) {
		t.Errorf("%v", err)
	}
	if err := v.Readable(t.Context(), f); !errors.Is(err, store.ErrErased) {
		t.Errorf("%v", err)
	}
	if _, _, err := v.SealBlob(t.Context(), "acme", "run-1", "alice", f.Entry, strings.NewReader("x"), io.Discard); !errors.Is(err, store.ErrErased) {
		t.Errorf("%v", err)
	}
	f.Stored[9] ^= 1
	if err := v.Readable(t.Context(), f); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("a group that was never here: %v", err)
	}
}
