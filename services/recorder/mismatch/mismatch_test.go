package mismatch

import (
	"errors"
	"math"
	"testing"
)

// The example of the design, over two rows.
func TestTheExample(t *testing.T) {
	var p Pool
	for _, r := range []Row{
		{Rollout: []float64{-0.5, -1, -0.2}, Train: []float64{-0.6, -1, -0.1}}, {Rollout: []float64{-2, -0.1}, Train: []float64{-1.5, -0.4}},
	} {
		s, err := Measure(r)
		if err != nil {
			t.Fatal(err)
		}
		p.Add(r, s)
	}
	r, ok := p.Report()
	if !ok {
		t.Fatal("no report")
	}
	for name, x := range map[string][2]float64{
		"k1": {r.Pooled.K1, -0.04}, "k3": {r.Pooled.K3, 0.0399095655}, "mean abs": {r.Pooled.MeanAbs, 0.2}, "mult": {r.Pooled.Mult, 1.2417843829},
		"IS mean": {r.Pooled.ISMean, 1.0799095655}, "IS max": {r.Pooled.ISMax, 1.6487212707}, "ESS": {r.Pooled.ESS, 0.9244987331},
		"chi token": {r.Pooled.ChiToken, 0.2614453952}, "chi seq": {r.Pooled.ChiSeq, 0.2459123488}, "Pearson": {*r.Pooled.Pearson, 0.9121701542},
	} {
		if math.Abs(x[0]-x[1]) > 1e-9 {
			t.Errorf("%s is %.10f, want %.10f", name, x[0], x[1])
		}
	}
}

func TestRows(t *testing.T) {
	tests := []struct {
		name string
		row  Row
		code string // of the error; empty for none
		bad  bool   // mismatched
	}{
		{"equal", Row{Train: []float64{-1, -2, -3}, Rollout: []float64{-1, -2, -3}}, "", false},
		{"a uniform shift", Row{Train: []float64{-1.5, -2.5, -3.5}, Rollout: []float64{-1, -2, -3}}, "", true},
		{"one token -0.01 against -20", Row{Train: []float64{-20}, Rollout: []float64{-0.01}}, "", true},
		{"five of -0.1 against -9", Row{Train: []float64{-9, -9, -9, -9, -9}, Rollout: []float64{-.1, -.1, -.1, -.1, -.1}}, "", true},
		{"empty", Row{}, "empty", false},
		{"lengths", Row{Train: []float64{-1}, Rollout: []float64{-1, -2}}, "length", false},
		{"a mask of another length", Row{Train: []float64{-1}, Rollout: []float64{-1}, Mask: []bool{true, true}}, "length", false},
		{"all masked", Row{Train: []float64{-1}, Rollout: []float64{-1}, Mask: []bool{false}}, "empty", false},
		{"probabilities", Row{Train: []float64{0.5}, Rollout: []float64{0.5}}, "positive", false},
		{"not finite", Row{Train: []float64{math.NaN(), -1}, Rollout: []float64{-1, -1}}, "non_finite", false},
		{"nothing finite", Row{Train: []float64{math.Inf(-1)}, Rollout: []float64{-1}}, "non_finite", false},
		{"not finite behind the mask", Row{Train: []float64{math.NaN(), -1}, Rollout: []float64{-1, -1}, Mask: []bool{false, true}}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Measure(tt.row)
			var bad *RowError
			if tt.code != "" {
				if !errors.As(err, &bad) || bad.Code != tt.code {
					t.Errorf("%v, want %s", err, tt.code)
				}
				return
			}
			if err != nil || (len(s.Reasons(0.1)) > 0) != tt.bad {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
	s, _ := Measure(Row{Train: []float64{math.NaN(), -1}, Rollout: []float64{-1, -1}})
	if s.NonFinite != 1 || s.Tokens != 1 || s.Pearson != nil {
		t.Errorf("%+v", s)
	}
}

// A mean hides one bad row in a hundred; p99 must not.
func TestOneBadPromptShows(t *testing.T) {
	var p Pool
	for i := range 100 {
		r := Row{Train: []float64{-1, -1, -1}, Rollout: []float64{-1, -1, -1}}
		if i == 42 {
			r.Train = []float64{-400, -400, -400}
		}
		s, err := Measure(r)
		if err != nil {
			t.Fatal(err)
		}
		p.Add(r, s)
	}
	r, _ := p.Report()
	if r.Mismatched != 1 || r.Quantiles["k3"].P50 != 0 || r.Quantiles["k3"].P99 != 0 || r.Quantiles["k3"].Max < 100 || math.IsNaN(r.Pooled.ChiSeq) || r.Low <= 0 || r.High >= 0.1 {
		t.Errorf("%+v", r)
	}
	if _, ok := (&Pool{}).Report(); ok {
		t.Error("a report of nothing")
	}
}

// Sequences whose weight overflows must say so and not turn into NaN.
func TestOverflowOfSequences(t *testing.T) {
	var p Pool
	r := Row{Train: make([]float64, 1000), Rollout: make([]float64, 1000)}
	for i := range r.Train {
		r.Train[i], r.Rollout[i] = -0.1, -2
	}
	s, err := Measure(r)
	if err != nil || !math.IsInf(s.ChiSeq, 1) {
		t.Errorf("%v, %v", s.ChiSeq, err)
	}
	p.Add(r, s)
	if got, _ := p.Report(); !math.IsInf(got.Pooled.ChiSeq, 1) || math.Abs(got.ChiSeqLog-3800) > 1e-6 {
		t.Errorf("%+v", got)
	}
}
