package inspect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/recorder/inspect"
)

func TestSpearman(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name string
		x, y []float64
		rho  float64
		ok   bool
	}{
		{"a line", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1, true},
		{"any rising curve", []float64{1, 2, 3, 4}, []float64{1, 10, 100, 1e9}, 1, true},
		{"falling", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1, true},
		{"one pair swapped", []float64{1, 2, 3, 4, 5}, []float64{1, 2, 3, 5, 4}, 0.9, true}, // 1 − 6·2/(5·24)
		{"ties share their rank", []float64{0, 0, 1, 1}, []float64{1, 2, 3, 4}, 2 / math.Sqrt(5), true},
		{"a constant reward says nothing", []float64{1, 1, 1}, []float64{1, 2, 3}, 0, false},
		{"a constant length neither", []float64{1, 2, 3}, []float64{7, 7, 7}, 0, false},
		{"two pairs are no correlation", []float64{1, 2}, []float64{1, 2}, 0, false},
		{"nothing", nil, nil, 0, false},
		{"lists of other lengths", []float64{1, 2, 3}, []float64{1, 2}, 0, false},
		{"no number", []float64{1, nan, 3}, []float64{1, 2, 3}, 0, false},
		{"infinite", []float64{1, 2, 3}, []float64{1, 2, math.Inf(1)}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rho, ok := inspect.Spearman(tt.x, tt.y)
			if ok != tt.ok || math.Abs(rho-tt.rho) > 1e-12 {
				t.Errorf("rho %g, %v; want %g, %v", rho, ok, tt.rho, tt.ok)
			}
		})
	}
}

func TestSpearmanSeesOnlyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-3, 3), 3, 60).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Float64Range(-3, 3), len(x), len(x)).Draw(t, "y")
		scaled := make([]float64, len(y))
		for i := range y {
			scaled[i] = 4 * y[i] // exact: rounding would make ties
		}
		a, ok := inspect.Spearman(x, y)
		b, okB := inspect.Spearman(x, scaled)
		c, okC := inspect.Spearman(y, x)
		if ok != okB || ok != okC || math.Abs(a-b) > 1e-9 || math.Abs(a-c) > 1e-9 || math.Abs(a) > 1 {
			t.Fatalf("%g and %g and %g (%v %v %v)", a, b, c, ok, okB, okC)
		}
	})
}

// Of five steps some rollouts are kept, of older ones none, and what is kept of a large step is a fair sample of it.
func TestPairsAreBoundedAndFair(t *testing.T) {
	var p inspect.Pairs
	if _, n, ok := p.Spearman(); ok || n != 0 {
		t.Error("a correlation of nothing")
	}
	for step := range uint64(9) {
		var one inspect.Step
		for i := range 2000 {
			x := float64(i)
			if step < 4 {
				x = -x // falls out of the window
			}
			one.Add(step, x, float64(i))
		}
		p.Push(one)
	}
	rho, n, ok := p.Spearman()
	if !ok || n != 640 || rho != 1 {
		t.Errorf("rho %g of %d pairs, %v; want 1 of 640", rho, n, ok)
	}
	late := 0
	for _, s := range p.Steps {
		for _, length := range s.Lengths {
			if length >= 1000 {
				late++
			}
		}
	}
	if late < 270 || late > 370 { // half of 640, four standard deviations
		t.Errorf("%d of 640 kept rollouts are of the second half", late)
	}
	p.Reset()
	if _, n, _ := p.Spearman(); n != 0 {
		t.Errorf("%d pairs after a reset", n)
	}
}

func words(r *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("w%d", r.IntN(5000))
	}
	return out
}

func TestSketchEstimatesJaccard(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, changed := range []int{0, 2, 6, 20, 60} {
		var worst, sum float64
		const runs = 40
		for range runs {
			a := words(r, 300)
			b := append([]string{}, a...)
			for range changed {
				b[r.IntN(len(b))] = fmt.Sprintf("x%d", r.Int())
			}
			sa, _ := inspect.NewSketch(strings.Join(a, " "))
			sb, _ := inspect.NewSketch(strings.Join(b, " "))
			off := sa.Jaccard(&sb) - jaccard(a, b)
			sum += off
			worst = max(worst, math.Abs(off))
		}
		// The standard error of one estimate is at most 1/16, of the mean of 40 it is 0.01.
		if worst > 0.25 || math.Abs(sum/runs) > 0.04 {
			t.Errorf("%d words changed: off by %.3f on average and %.3f at most", changed, sum/runs, worst)
		}
	}
}

// jaccard is the exact index of both sets of 5-grams.
func jaccard(a, b []string) float64 {
	grams := func(w []string) map[string]bool {
		out := map[string]bool{}
		for i := 0; i+5 <= len(w); i++ {
			out[strings.Join(w[i:i+5], " ")] = true
		}
		return out
	}
	ga, gb := grams(a), grams(b)
	both := 0
	for g := range ga {
		if gb[g] {
			both++
		}
	}
	return float64(both) / float64(len(ga)+len(gb)-both)
}

func TestSketchReadsWords(t *testing.T) {
	same := func(a, b string) float64 {
		sa, okA := inspect.NewSketch(a)
		sb, okB := inspect.NewSketch(b)
		if !okA || !okB {
			t.Fatalf("no sketch of %q or %q", a, b)
		}
		return sa.Jaccard(&sb)
	}
	if x := same("First we add the Two numbers, then: stop.", "first we add, the two\nnumbers then stop"); x != 1 {
		t.Errorf("case and punctuation count: %g", x)
	}
	if x := same("one two three four five six", "six five four three two one"); x != 0 {
		t.Errorf("the order of words does not count: %g", x)
	}
	if x := same("答えは四十二です。それでは次へ", "答えは四十二です、それでは次へ"); x != 1 {
		t.Errorf("a script without spaces: %g", x)
	}
	for _, short := range []string{"", "42", "the answer is 42", "。。。。。。。。", "\xff\xfe\xff\xfe\xff\xfe"} {
		if _, ok := inspect.NewSketch(short); ok {
			t.Errorf("%q has fewer than 5 words and a sketch", short)
		}
	}
}

func TestClusterShare(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	template := strings.Join(words(r, 120), " ")
	fill := func(k int) string { return template + fmt.Sprintf(" therefore %d", k) }
	other := func(int) string { return strings.Join(words(r, 120), " ") }
	tests := []struct {
		name    string
		prompts int
		each    int
		text    func(prompt, k int) string
		share   float64
		n       uint64
	}{
		{"all different", 16, 8, func(_, k int) string { return other(k) }, 0, 128},
		{"one template for all prompts", 16, 8, func(p, k int) string { return fill(p*100 + k) }, 1, 128},
		{"every second one", 16, 8, func(p, k int) string {
			if k%2 == 0 {
				return fill(p*100 + k)
			}
			return other(k)
		}, 0.5, 128},
		{"sure of each prompt's own answer", 16, 8, func() func(p, _ int) string {
			own := map[int]string{}
			return func(p, _ int) string {
				if own[p] == "" {
					own[p] = other(p)
				}
				return own[p]
			}
		}(), 0, 128},
		{"a single prompt tells nothing", 1, 8, func(_, k int) string { return fill(k) }, 0, 0},
	}
	var c inspect.Clusters
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.Reset()
			for p := range tt.prompts {
				for k := range tt.each {
					s, _ := inspect.NewSketch(tt.text(p, k))
					c.Add(uint64(p), &s)
				}
			}
			if share, n := c.Share(); share != tt.share || n != tt.n {
				t.Errorf("share %g of %d, want %g of %d", share, n, tt.share, tt.n)
			}
		})
	}
	c.Reset()
	if share, n := c.Share(); share != 0 || n != 0 {
		t.Errorf("nothing has a share of %g of %d", share, n)
	}
	s, _ := inspect.NewSketch(template)
	for i := range 5000 {
		c.Add(uint64(i), &s)
	}
	if share, n := c.Share(); share != 1 || n != 4096 || c.Skipped() != 904 {
		t.Errorf("share %g of %d, %d left out", share, n, c.Skipped())
	}
}

func FuzzSketch(f *testing.F) {
	for _, s := range []string{"", "a b c d e f", "答えは四十二です", "\xff\xfe a b c d e", strings.Repeat("ha ", 900)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := inspect.NewSketch(text)
		again, okAgain := inspect.NewSketch(text)
		if ok != okAgain || s != again || s.Jaccard(&again) != 1 {
			t.Fatal("a text differs from itself")
		}
	})
}

// BenchmarkStep is the work for a step of 256 rollouts of 2 KiB.
func BenchmarkStep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, 256)
	for i := range texts {
		texts[i] = strings.Join(words(r, 360), " ")
	}
	var c inspect.Clusters
	var p inspect.Pairs
	b.ReportAllocs()
	step := uint64(0)
	for b.Loop() {
		c.Reset()
		var one inspect.Step
		for i, text := range texts {
			s, _ := inspect.NewSketch(text)
			c.Add(uint64(i/8), &s)
			one.Add(step, float64(i%2), float64(len(text)))
		}
		c.Share()
		p.Push(one)
		p.Spearman()
		step++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/rollout")
}
