package idgen

import (
	"bytes"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
)

func TestIdsSortByTime(t *testing.T) {
	c := clock.NewFake(time.UnixMilli(1_790_000_000_000))
	g := Generator{Clock: c, Rand: bytes.NewReader(bytes.Repeat([]byte{0xff}, 100))}
	first, err := g.New()
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Millisecond)
	g.Rand = bytes.NewReader(make([]byte, 100))
	second, err := g.New()
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 26 || first >= second {
		t.Errorf("%q and %q: want 26 characters, in order of time", first, second)
	}
	if _, ok := Bytes(first); !ok {
		t.Errorf("Bytes(%q) refused its own id", first)
	}
	for _, bad := range []string{"", "short", "UPPER" + first[5:], first + "0"} {
		if _, ok := Bytes(bad); ok {
			t.Errorf("Bytes(%q) accepted it", bad)
		}
	}
}

func TestNoRandomnessIsAnError(t *testing.T) {
	if _, err := (Generator{Rand: bytes.NewReader(nil)}).New(); err == nil {
		t.Error("an id without randomness was made")
	}
}
