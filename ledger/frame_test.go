package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provenir/provenir/ledger"
)

func TestFrameRoundTrip(t *testing.T) {
	tests := []struct {
		name   string
		frame  ledger.Frame
		size   int
		length uint64
		digest ledger.DigestState
	}{
		{"empty payload", ledger.Frame{Entry: ledger.NewEntry(0, ledger.RunOpen, nil), Stored: []byte{}}, 88, 0, ledger.DigestOK},
		{"padded payload", ledger.Frame{Entry: ledger.NewEntry(9, ledger.Step, []byte("abc")), Prev: ledger.Hash{1}, Stored: []byte("abc")}, 96, 3, ledger.DigestOK},
		{"payload of whole words", ledger.Frame{Entry: ledger.NewEntry(1<<40, 0x9000, []byte("12345678")), Stored: []byte("12345678")}, 96, 8, ledger.DigestOK},
		{"blob", ledger.Frame{Entry: ledger.Entry{Seq: 3, Type: ledger.Rollout, Length: 1 << 20, Digest: ledger.Hash{2}},
			Flags: ledger.StoredAsBlob, Stored: ledger.BlobPayload(1<<20, "text/plain")}, 112, 1 << 20, ledger.DigestUnchecked},
		{"wrong digest", ledger.Frame{Entry: ledger.Entry{Seq: 3, Type: ledger.Rollout, Length: 1}, Stored: []byte("x")}, 96, 1, ledger.DigestWrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := ledger.AppendFrame([]byte("before"), &tt.frame)[6:]
			if len(b) != tt.size || tt.frame.Size() != tt.size {
				t.Errorf("%d bytes, Size() = %d, want %d", len(b), tt.frame.Size(), tt.size)
			}
			got, n, err := ledger.DecodeFrame(append(b, "behind"...))
			if err != nil || n != len(b) {
				t.Fatalf("DecodeFrame: %d bytes, %v", n, err)
			}
			if diff := cmp.Diff(tt.frame, got); diff != "" {
				t.Error(diff)
			}
			if got.Length != tt.length || got.CheckDigest() != tt.digest {
				t.Errorf("length %d, digest %d; want %d, %d", got.Length, got.CheckDigest(), tt.length, tt.digest)
			}
		})
	}
}

func TestDecodeFrameRefuses(t *testing.T) {
	f := ledger.Frame{Entry: ledger.NewEntry(1, ledger.Step, []byte("abc")), Stored: []byte("abc")}
	whole := ledger.AppendFrame(nil, &f)
	tests := []struct {
		name   string
		damage func(b []byte) []byte
		want   error
	}{
		{"nothing", func(b []byte) []byte { return nil }, ledger.ErrFrameShort},
		{"half a header", func(b []byte) []byte { return b[:50] }, ledger.ErrFrameShort},
		{"half a payload", func(b []byte) []byte { return b[:90] }, ledger.ErrFrameShort},
		{"zeros", func(b []byte) []byte { return make([]byte, 200) }, ledger.ErrFrameLength},
		{"length", func(b []byte) []byte { b[0] ^= 8; return b }, ledger.ErrFrameLength},
		{"stored length", func(b []byte) []byte { b[23] = 0xff; return b }, ledger.ErrFrameLength},
		{"payload", func(b []byte) []byte { b[88] ^= 1; return b }, ledger.ErrFrameCRC},
		{"padding", func(b []byte) []byte { b[95] = 1; fixCRC(b); return b }, ledger.ErrFrameBody},
		{"blob without a length", func(b []byte) []byte { b[18] = 1; fixCRC(b); return b }, ledger.ErrFrameBody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := ledger.DecodeFrame(tt.damage(bytes.Clone(whole))); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFrameProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOf(rapid.Byte()).Draw(t, "payload")
		typ := ledger.RecordType(rapid.Uint16().Draw(t, "type"))
		f := ledger.Frame{Entry: ledger.NewEntry(rapid.Uint64().Draw(t, "seq"), typ, payload), Stored: payload}
		got, n, err := ledger.DecodeFrame(ledger.AppendFrame(nil, &f))
		if err != nil || n != f.Size() || got.Entry != f.Entry || !bytes.Equal(got.Stored, payload) {
			t.Fatalf("%v: %+v", err, got)
		}
	})
}

func TestAppendFrameAllocatesNothing(t *testing.T) {
	payload := make([]byte, 1024)
	f := ledger.Frame{Entry: ledger.NewEntry(1, ledger.Rollout, payload), Stored: payload}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = ledger.AppendFrame(buf[:0], &f) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
