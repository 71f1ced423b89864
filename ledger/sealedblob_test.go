package ledger_test

import (
	"bytes"
	"testing"

	"github.com/provenir/provenir/ledger"
)

func TestSealedBlobPayload(t *testing.T) {
	key, sum, nonce := [16]byte{1, 2}, [32]byte{3, 4}, bytes.Repeat([]byte{5}, 19)
	f := ledger.Frame{Entry: ledger.Entry{Seq: 4, Type: ledger.Rollout, Length: 1 << 30, Digest: ledger.Hash{9}}, Flags: ledger.StoredAsBlob | ledger.StoredEncrypted,
		Stored: ledger.SealedBlobPayload(1<<30, key, sum, nonce, "text/plain")}
	got, n, err := ledger.DecodeFrame(ledger.AppendFrame(nil, &f))
	if err != nil || n != f.Size() || got.Entry != f.Entry {
		t.Fatalf("%+v, %v", got, err)
	}
	k, s, o, ok := got.SealedBlob()
	if !ok || k != key || s != sum || !bytes.Equal(o, nonce) || got.BlobDigest() != sum || got.MediaType() != "text/plain" || got.Inline() {
		t.Errorf("%v %x %x %v %q", k, s, o, ok, got.MediaType())
	}
	retired := got.Retire()
	if _, _, _, ok := retired.SealedBlob(); ok || retired.MediaType() != "" || bytes.Contains(retired.Stored, []byte("text/plain")) || !bytes.Contains(retired.Stored, key[:]) {
		t.Errorf("retired it holds %q", retired.Stored)
	}
	for name, other := range map[string]ledger.Frame{
		"inline":        {Flags: ledger.StoredEncrypted, Stored: f.Stored},
		"a plain blob":  {Flags: ledger.StoredAsBlob, Stored: f.Stored, Entry: ledger.Entry{Digest: ledger.Hash{9}}},
		"too short":     {Flags: f.Flags, Stored: f.Stored[:70]},
		"nothing at it": {Flags: f.Flags},
	} {
		if _, _, _, ok := other.SealedBlob(); ok || other.BlobDigest() != other.Digest {
			t.Errorf("%s passes for an encrypted blob", name)
		}
		_ = other.MediaType() // no panic
	}
}
