package doctor

import (
	"math"
	"math/rand/v2"
	"testing"
)

func close(a, b, by float64) bool { return math.Abs(a-b) <= by }

// One-sided probabilities are those of Gilbert (1987), table A18; the variance with ties is that of the formula by hand.
func TestMannKendall(t *testing.T) {
	for _, c := range []struct {
		name     string
		y        []float64
		s        int
		variance float64
		p        float64
		by       float64
	}{
		{"n 5, S 10: one-sided 0.0083", []float64{1, 2, 3, 4, 5}, 10, 50.0 / 3, 2.0 / 120, 1e-12},
		{"n 5, S 8: one-sided 0.042", []float64{1, 2, 3, 5, 4}, 8, 50.0 / 3, 2 * 5.0 / 120, 1e-12},
		{"n 10, S 31: one-sided 0.0023", []float64{2, 1, 4, 3, 5, 6, 9, 10, 8, 7}, 31, 125, 2 * 0.0023, 2e-4},
		{"all equal", []float64{3, 3, 3, 3, 3}, 0, 0, 1, 0},
		{"two ties", []float64{1, 1, 2, 2, 3}, 8, 50.0/3 - 2, 2.0 / 30, 1e-12},
		{"falling twelve, normal", []float64{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, -66, 212.6667, 8.3e-6, 1e-6},
	} {
		k := mannKendall(c.y, 1)
		if k.S != c.s || !close(k.Variance, c.variance, 1e-3) || !close(k.P, c.p, c.by) {
			t.Errorf("%s: %+v", c.name, k)
		}
	}
}

// The counted probabilities agree with a walk over all orders, ties included.
func TestExactAgainstAllOrders(t *testing.T) {
	y := []float64{1, 2, 2, 3, 3, 3, 4}
	want := map[int]float64{}
	total := 0.0
	var walk func(int)
	walk = func(k int) {
		if k == len(y) {
			want[mannKendall(y, 1).S]++
			total++
			return
		}
		for i := k; i < len(y); i++ {
			y[k], y[i] = y[i], y[k]
			walk(k + 1)
			y[k], y[i] = y[i], y[k]
		}
	}
	walk(0)
	for s := range want {
		far := 0.0
		for o, n := range want {
			if abs(o) >= abs(s) {
				far += n
			}
		}
		if got := exactP(len(y), []int{2, 3}, s); !close(got, far/total, 1e-12) {
			t.Errorf("S %d: %g, want %g", s, got, far/total)
		}
	}
}

// Slopes by hand: pairs across the missing value have its distance. Eleven points on a line and one far off keep the slope.
func TestTheilSen(t *testing.T) {
	x, y := finite([]float64{10, math.NaN(), 15, 14, 20})
	got := slopesOf(x, y)
	want := []float64{-1, 4.0 / 3, 2.5, 2.5, 2.5, 6}
	for i := range want {
		if !close(got[i], want[i], 1e-12) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	tr := TrendOf([]float64{0, 1, 2, 3, 4, 100, 6, 7, 8, 9, 10, 11}, 100, 5)
	if tr.Slope != 1 || tr.Low > 1 || tr.High < 1 || tr.Verdict != Improving {
		t.Errorf("an outlier moves the line: %+v", tr)
	}
}

// Correlation makes a trend less sure: of AR(1) noise with φ 0.7 the plain test finds one far too often.
func TestHamedRao(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	plain, corrected := 0, 0
	for range 400 {
		y := make([]float64, 100)
		for i := range y {
			y[i] = r.NormFloat64()
			if i > 0 {
				y[i] += 0.7 * y[i-1]
			}
		}
		if mannKendall(y, 1).P < 0.05 {
			plain++
		}
		x, _ := finite(y)
		s := slopesOf(x, y)
		if mannKendall(y, hamedRao(y, s[len(s)/2])).P < 0.05 {
			corrected++
		}
	}
	if plain < 80 || corrected > plain/2 {
		t.Errorf("of 400 series without a trend the plain test finds %d, the corrected one %d", plain, corrected)
	}
	if f := hamedRao([]float64{1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1}, 0); f != 1 {
		t.Errorf("swings give %g", f)
	}
}

func TestVerdicts(t *testing.T) {
	line := func(n int, from, slope, noise float64) []float64 {
		r := rand.New(rand.NewPCG(3, 4))
		out := make([]float64, n)
		for i := range out {
			out[i] = from + slope*float64(i) + noise*r.NormFloat64()
		}
		return out
	}
	for _, c := range []struct {
		name string
		y    []float64
		want string
	}{
		{"nothing", nil, Insufficient},
		{"one", []float64{0.3}, Insufficient},
		{"four", []float64{0.1, 0.2, 0.3, 0.4}, Insufficient},
		{"the top", []float64{1, 1, 1, 1, 1}, Ceiling},
		{"five up", []float64{0.1, 0.2, 0.3, 0.4, 0.5}, Improving},
		{"five flat", []float64{0.3, 0.3, 0.3, 0.3, 0.3}, Plateau},
		{"up, but by nothing", line(50, 0.3, 0.0001, 0), Plateau},
		{"up in noise", line(100, 0.2, 0.005, 0.05), Improving},
		{"down in noise", line(100, 0.8, -0.004, 0.05), Declining},
		{"flat in noise", line(200, 0.4, 0, 0.01), Plateau},
		{"falling from the top", line(60, 1, -0.0008, 0), Declining},
		{"only NaN", []float64{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.Inf(1)}, Insufficient},
		{"noise of three levels", []float64{0, 1, 0, 1, 0.5, 0}, Insufficient},
		{"ten thousand", line(10000, 0.1, 0.00005, 0.05), Improving},
	} {
		if got := TrendOf(c.y, 1, 5); got.Verdict != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}
