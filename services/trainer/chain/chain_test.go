package chain

import (
	"encoding/hex"
	"math"
	"testing"
)

func TestPartsDoNotRunTogether(t *testing.T) {
	if Hash([]byte("ab"), []byte("c")) == Hash([]byte("a"), []byte("bc")) || Hash() == Hash(nil) {
		t.Error("two lists of parts have one hash")
	}
}

// The vector is SHA-256 of the bytes 01 00 00 00 61.
func TestVector(t *testing.T) {
	got := Hash([]byte("a"))
	if want := "f9f2eff042fb3ba78744d4688e6cd19f9055d8d08fb3d72170e8aa9e6c5b7592"; hex.EncodeToString(got[:]) != want {
		t.Errorf("H(a) = %x, want %s", got, want)
	}
}

func TestEveryPartCounts(t *testing.T) {
	base := Start(nil, []byte("s"), []byte("b"), []byte("d"), []byte("t"), 1)
	for i, other := range []Digest{
		Start([]byte("x"), []byte("s"), []byte("b"), []byte("d"), []byte("t"), 1), Start(nil, nil, []byte("b"), []byte("d"), []byte("t"), 1),
		Start(nil, []byte("s"), nil, []byte("d"), []byte("t"), 1), Start(nil, []byte("s"), []byte("b"), nil, []byte("t"), 1),
		Start(nil, []byte("s"), []byte("b"), []byte("d"), nil, 1), Start(nil, []byte("s"), []byte("b"), []byte("d"), []byte("t"), 2),
		Next(base, nil),
	} {
		if other == base {
			t.Errorf("part %d does not count", i)
		}
	}
	if string(Float(0)) == string(Float(math.Copysign(0, -1))) {
		t.Error("0 and -0 have one form")
	}
}
