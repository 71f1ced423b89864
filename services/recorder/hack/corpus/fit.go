package corpus

import (
	"math"

	"github.com/provenir/provenir/services/recorder/hack"
)

// Model is what is fitted; hack/weights.go holds the numbers.
type Model struct {
	Intercept float64
	Weights   [hack.Features]float64
	Scale     float64 // Platt's a: p = σ(a·z + b)
	Shift     float64
}

type sample struct {
	x [hack.Features]float64
	y float64
}

// penalty is the L2 weight a sample; with it features that separate perfectly keep finite weights.
const penalty = 0.002

// Fit makes the model from families that are not for testing: logistic regression on two thirds of the problems, then the
// calibration of Platt (1999) on the other third, with his smoothed targets.
func Fit(cases []Case) Model {
	var fit, calibrate []sample
	in := hack.NewInspector()
	for i := range cases {
		c := &cases[i]
		if c.Test {
			continue
		}
		s := sample{x: hack.Vector(in.Inspect(&c.Row).Findings)}
		if c.Hacked {
			s.y = 1
		}
		if c.Fold == 0 {
			calibrate = append(calibrate, s)
		} else {
			fit = append(fit, s)
		}
	}
	var m Model
	for range 20000 {
		m.step(fit)
	}
	m.platt(calibrate)
	return m
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

func (m *Model) z(x *[hack.Features]float64) float64 {
	z := m.Intercept
	for i := range x {
		z += m.Weights[i] * x[i]
	}
	return z
}

// step descends once along the gradient; the features lie between 0 and 2, so a fixed rate converges.
func (m *Model) step(all []sample) {
	const rate = 0.5
	var g [hack.Features]float64
	var g0 float64
	for i := range all {
		d := sigmoid(m.z(&all[i].x)) - all[i].y
		g0 += d
		for k := range g {
			g[k] += d * all[i].x[k]
		}
	}
	n := float64(len(all))
	m.Intercept -= rate * g0 / n
	for k := range g {
		m.Weights[k] -= rate * (g[k]/n + penalty*m.Weights[k])
		m.Weights[k] = max(0, m.Weights[k]) // no evidence of a hack makes one less likely
	}
}

func (m *Model) platt(all []sample) {
	var pos, neg float64
	for i := range all {
		pos += all[i].y
		neg += 1 - all[i].y
	}
	high, low := (pos+1)/(pos+2), 1/(neg+2)
	a, b := 1.0, 0.0
	for range 20000 {
		var ga, gb float64
		for i := range all {
			target := low
			if all[i].y > 0 {
				target = high
			}
			z := m.z(&all[i].x)
			d := sigmoid(a*z+b) - target
			ga += d * z
			gb += d
		}
		a -= 0.1 * ga / float64(len(all))
		b -= 0.1 * gb / float64(len(all))
	}
	m.Scale, m.Shift = a, b
}
