package slice

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

func rows(dim, value string, failed, passed, unscored int) []Row {
	var out []Row
	add := func(n int, p *bool) {
		for range n {
			out = append(out, Row{Values: map[string]string{dim: value}, Passed: p})
		}
	}
	yes, no := true, false
	add(failed, &no)
	add(passed, &yes)
	add(unscored, nil)
	return out
}

func find(t *testing.T, rates []Rate, name string) Rate {
	t.Helper()
	for _, r := range rates {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no slice %s in %+v", name, rates)
	return Rate{}
}

// Fisher's lady tasting tea (1935): 3 of 4 right is 34/70, 4 of 4 is 2/70.
func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m uint64
		want       float64
	}{{3, 4, 1, 4, 34.0 / 70}, {4, 4, 0, 4, 2.0 / 70}, {2, 4, 2, 4, 1}, {0, 10, 0, 10, 1}, {1, 20, 11, 14, 2.0e-5}} {
		if got := fisher(c.a, c.n, c.b, c.m); math.Abs(got-c.want) > 1e-5+1e-9*c.want {
			t.Errorf("%d of %d against %d of %d: %g, want %g", c.a, c.n, c.b, c.m, got, c.want)
		}
	}
}

// The fifteen p values of Benjamini and Hochberg (1995), section 3.2: at 0.05 the first four are discoveries.
func TestBenjaminiHochberg(t *testing.T) {
	p := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	rates := []Rate{{P: math.NaN()}}
	for i := range p {
		rates = append(rates, Rate{P: p[len(p)-1-i]})
	}
	discover(rates, 0.05)
	n := 0
	for _, r := range rates {
		if r.Significant {
			n++
			if r.P > 0.0095 {
				t.Errorf("p %g is a discovery", r.P)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d discoveries, want 4", n)
	}
}

func TestAnalyze(t *testing.T) {
	all := append(append(append(rows("source", "web", 40, 10, 5), rows("source", "book", 10, 90, 0)...), rows("source", " ", 3, 4, 0)...), rows("source", "none", 0, 0, 3)...)
	got, err := Analyze(all, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	web, book, unknown, none := find(t, got, "source=web"), find(t, got, "source=book"), find(t, got, "source=unknown"), find(t, got, "source=none")
	if got[0].Name != "source=web" || web.Failures != 40 || web.Support != 50 || web.Unscored != 5 || !web.Significant || web.P > 1e-9 {
		t.Errorf("%+v", web)
	}
	// Wilson's interval of 40 of 50 (Newcombe 1998, method 3, by hand): 0.6696 to 0.8876.
	if math.Abs(web.Low-0.6696) > 1e-4 || math.Abs(web.High-0.8876) > 1e-4 {
		t.Errorf("interval %g to %g", web.Low, web.High)
	}
	if !book.Significant || book.Thin {
		t.Errorf("a slice that fails less is one too: %+v", book)
	}
	if !unknown.Thin || !math.IsNaN(unknown.P) || unknown.Significant || unknown.Support != 7 {
		t.Errorf("%+v", unknown)
	}
	if none.Support != 0 || none.Unscored != 3 || !math.IsNaN(none.Share()) || none.Low != 0 || none.High != 1 {
		t.Errorf("unscored rows: %+v", none)
	}
	if x, err := Analyze(all, Settings{MinSupport: 5}); err != nil || find(t, x, "source=unknown").Thin {
		t.Errorf("support of 5: %v", err)
	}
}

// Nothing to compare with is no test; buckets of length and pairs come by themselves.
func TestAutomaticSlices(t *testing.T) {
	yes, no := true, false
	var all []Row
	for i := range 400 {
		n := uint64(i)
		r := Row{Values: map[string]string{"difficulty": fmt.Sprint(i % 2), "only": "x"}, Passed: &yes, Length: &n}
		if i >= 300 && i%2 == 0 {
			r.Passed = &no
		}
		all = append(all, r)
	}
	got, err := Analyze(all, Settings{})
	if err != nil || got[0].Name != "difficulty=0,length=>=300" || got[0].Failures != 50 || got[0].Support != 50 {
		t.Errorf("%+v, %v", got[0], err)
	}
	for _, name := range []string{"length=<100", "length=100-199", "length=200-299", "length=>=300", "difficulty=1,only=x"} {
		find(t, got, name)
	}
	if r := find(t, got, "only=x"); !math.IsNaN(r.P) {
		t.Errorf("a slice that is all rows was tested: %+v", r)
	}
	all[0].Length = nil
	if got, err = Analyze(all, Settings{}); err != nil || find(t, got, "length=unknown").Support != 1 {
		t.Error(err)
	}
}

func TestTooManySlices(t *testing.T) {
	var all []Row
	for i := range most + 1 {
		all = append(all, Row{Values: map[string]string{"id": fmt.Sprint(i), "a": "x"}})
	}
	_, err := Analyze(all, Settings{})
	var many *TooMany
	if !errors.As(err, &many) {
		t.Errorf("%v", err)
	}
}
