package stat

import (
	"math"
	"testing"
)

func near(a, b, tol float64) bool { return math.Abs(a-b) <= tol }

// Values of Wilson's interval without correction from Newcombe 1998, Statist. Med. 17:857, table I.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      uint64
		low, high float64
	}{{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}, {29, 29, .8830, 1}} {
		got, err := Wilson(c.k, c.n, .95)
		if err != nil || !near(got.Low, c.low, 5e-5) || !near(got.High, c.high, 5e-5) {
			t.Errorf("%d/%d: got %.4f to %.4f, want %.4f to %.4f (%v)", c.k, c.n, got.Low, got.High, c.low, c.high, err)
		}
	}
	for _, bad := range [][2]uint64{{0, 0}, {3, 2}} {
		if _, err := Wilson(bad[0], bad[1], .95); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if z := Quantile(.95); !near(z, 1.959963984540054, 1e-12) {
		t.Errorf("z = %.15f", z)
	}
}

// Newcombe 1998, Statist. Med. 17:2635, table III, method 10: (a, b, c, d) = (36, 12, 2, 0) and (20, 12, 2, 16).
func TestPairedDifference(t *testing.T) {
	for _, c := range []struct {
		x            Paired
		d, low, high float64
	}{
		{Paired{36, 12, 2, 0}, .2, .0569, .3404}, {Paired{20, 12, 2, 16}, .2, .0562, .3292},
		{Paired{0, 0, 0, 54}, 0, -.0664, .0664}, {Paired{54, 0, 0, 0}, 0, -.0664, .0664},
	} {
		d, got, err := c.x.Difference(.95)
		if err != nil || !near(d, c.d, 1e-9) || !near(got.Low, c.low, 6e-5) || !near(got.High, c.high, 6e-5) {
			t.Errorf("%+v: got %.4f, %.4f to %.4f, want %.4f to %.4f (%v)", c.x, d, got.Low, got.High, c.low, c.high, err)
		}
	}
	if _, _, err := (Paired{}).Difference(.95); err == nil {
		t.Error("no rows gave an interval")
	}
}

func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		better, worse uint64
		want          float64
	}{{5, 5, 1}, {8, 1, .0390625}, {6, 0, .03125}, {1, 0, 1}} {
		if p, ok := (Paired{Better: c.better, Worse: c.worse}).McNemar(); !ok || !near(p, c.want, 1e-9) {
			t.Errorf("%d against %d: %.7f, want %.7f", c.better, c.worse, p, c.want)
		}
	}
	if _, ok := (Paired{Both: 9}).McNemar(); ok {
		t.Error("a test without a differing row")
	}
}
