package cursor

import (
	"errors"
	"math"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	s := NewSigner([]byte("store a"))
	for _, p := range []uint64{0, 1, math.MaxUint64} {
		got, err := s.Position("events/run", s.Token("events/run", p))
		if err != nil || got != p {
			t.Errorf("position %d came back as %d, %v", p, got, err)
		}
	}
}

func TestForeignTokens(t *testing.T) {
	s := NewSigner([]byte("store a"))
	good := s.Token("events/run", 7)
	for name, token := range map[string]string{
		"empty": "", "short": "AAAA", "not base64": "!!!!", "changed": "B" + good[1:],
		"other store": NewSigner([]byte("store b")).Token("events/run", 7), "other stream": s.Token("events/other", 7),
	} {
		if _, err := s.Position("events/run", token); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v, want ErrForeign", name, err)
		}
	}
}

func FuzzPosition(f *testing.F) {
	s := NewSigner([]byte("k"))
	f.Add(s.Token("x", 1))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := s.Position("x", token); err == nil && s.Token("x", p) != token {
			t.Errorf("%q and %q are both position %d", token, s.Token("x", p), p)
		}
	})
}
