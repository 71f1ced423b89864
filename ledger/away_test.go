package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"testing"
)

// sealedFile is a sealed segment of two records.
func sealedFile() ([]byte, Header, Trailer) {
	h := Header{Log: Events, Epoch: 3}
	b := h.AppendBinary(nil)
	var chain Hash
	for seq, payload := range []string{"open", "step"} {
		f := Frame{Entry: NewEntry(uint64(seq), Rollout, []byte(payload)), Prev: chain, Stored: []byte(payload)}
		b = AppendFrame(b, &f)
		chain = f.Chain(chain)
	}
	t := Trailer{Count: 2, LastSeq: 1, Chain: chain, File: sha256.Sum256(b)}
	f := t.Frame()
	return AppendFrame(b, &f), h, t
}

func TestAwayRoundTrip(t *testing.T) {
	b, h, tr := sealedFile()
	want := Away{Header: h, Trailer: tr, Size: int64(len(b))}
	mark := want.AppendBinary(nil)
	if got, err := ParseAway(mark); err != nil || got != want {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
	for i := range mark {
		changed := bytes.Clone(mark)
		changed[i] ^= 1 << (i % 8)
		if got, err := ParseAway(changed); err == nil && got.Size == want.Size {
			t.Errorf("byte %d does not matter", i)
		}
	}
	for n := range mark {
		if _, err := ParseAway(mark[:n]); !errors.Is(err, ErrAway) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if n, ok := ParseAwayName("x/" + AwayName(7)); !ok || n != 7 {
		t.Error("the name does not read back")
	}
	for _, name := range []string{"7.away", "00000007.seg", "0000000x.away", "00000007.away.tmp"} {
		if _, ok := ParseAwayName(name); ok {
			t.Errorf("%s is taken for a mark", name)
		}
	}
}

func TestReadSealed(t *testing.T) {
	b, h, tr := sealedFile()
	leaves := 0
	s, err := ReadSealed(t.Context(), bytes.NewReader(b), int64(len(b)), func(Hash) { leaves++ })
	if err != nil || leaves != 2 || s.Header != h || s.Trailer != tr || s.SHA256 != sha256.Sum256(b) {
		t.Fatalf("%+v, %d leaves, %v", s, leaves, err)
	}
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1 << (i % 8)
		if _, err := ReadSealed(t.Context(), bytes.NewReader(changed), int64(len(b)), nil); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	for n := range b {
		if _, err := ReadSealed(t.Context(), bytes.NewReader(b[:n]), int64(n), nil); !errors.Is(err, ErrSealed) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, err := ReadSealed(t.Context(), bytes.NewReader(append(b, 0)), int64(len(b)+1), nil); !errors.Is(err, ErrSealed) {
		t.Errorf("a byte too many: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadSealed(ctx, bytes.NewReader(b), int64(len(b)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

func FuzzAway(f *testing.F) {
	b, h, t := sealedFile()
	f.Add(Away{Header: h, Trailer: t, Size: int64(len(b))}.AppendBinary(nil))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAway(b)
		if err == nil && !bytes.Equal(a.AppendBinary(nil), b) && a.Header.Flags == 0 {
			t.Errorf("%x reads as %+v and is written otherwise", b, a)
		}
		if s, err := ReadSealed(t.Context(), bytes.NewReader(b), int64(len(b)), nil); err == nil && s.Trailer.Count == 0 {
			t.Errorf("a sealed segment without records: %+v", s)
		}
	})
}
