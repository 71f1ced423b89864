package faults

import (
	"math"

	"github.com/provenir/provenir/services/recorder/doctor"
)

// Seeds and sizes of what the weights in the doctor are fitted and measured on.
const (
	FitSeed, FitCases   = 1, 2400
	TestSeed, TestCases = 2, 2400
)

// Model is a weight for each family, which counts for its own category, and a bias for each category.
type Model struct {
	Biases, Weights map[string]float64
}

// Fit is multinomial logistic regression by gradient descent on the mean log-loss with a ridge of 1e-4. Weights are held at
// 0.1 at least: evidence for a category never speaks against it. The order of all sums is fixed, so equal cases give equal weights.
func Fit(cases []Case) (Model, error) {
	names, cats := doctor.Families(), doctor.Categories()
	home := make([]int, len(names))
	for i, n := range names {
		for c := range cats {
			if doctor.CategoryOf(n) == cats[c] {
				home[i] = c
			}
		}
	}
	x, y, err := matrix(cases, names, cats)
	if err != nil {
		return Model{}, err
	}
	w, b := make([]float64, len(names)), make([]float64, len(cats))
	p := make([]float64, len(cats))
	const rounds, ridge = 1500, 1e-4
	for round := range rounds {
		gw, gb := make([]float64, len(w)), make([]float64, len(b))
		for i := range x {
			posterior(p, x[i], w, b, home)
			for c := range p {
				gb[c] += p[c]
			}
			gb[y[i]]--
			for j, v := range x[i] {
				if v == 0 {
					continue
				}
				g := p[home[j]]
				if home[j] == y[i] {
					g--
				}
				gw[j] += g * v
			}
		}
		rate := 4 / (1 + float64(round)/500)
		for j := range w {
			w[j] = max(w[j]-rate*(gw[j]/float64(len(x))+ridge*w[j]), 0.1)
		}
		for c := range b {
			b[c] -= rate * gb[c] / float64(len(x))
		}
	}
	m := Model{map[string]float64{}, map[string]float64{}}
	for j, n := range names {
		m.Weights[n] = math.Round(w[j]*100) / 100
	}
	for c, n := range cats {
		m.Biases[n] = math.Round((b[c]-b[len(b)-1])*100) / 100 // only differences count; none is the origin
	}
	return m, nil
}

func matrix(cases []Case, names, cats []string) (x [][]float64, y []int, err error) {
	for _, c := range cases {
		sizes, err := doctor.Sizes(c.Input)
		if err != nil {
			return nil, nil, err
		}
		row := make([]float64, len(names))
		for j, n := range names {
			row[j] = sizes[n]
		}
		x = append(x, row)
		for k := range cats {
			if cats[k] == c.Category {
				y = append(y, k)
			}
		}
	}
	return x, y, nil
}

func posterior(p, x, w, b []float64, home []int) {
	copy(p, b)
	for j, v := range x {
		p[home[j]] += w[j] * v
	}
	most, sum := p[0], 0.0
	for _, v := range p {
		most = max(most, v)
	}
	for c := range p {
		p[c] = math.Exp(p[c] - most)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}
