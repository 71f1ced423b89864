package llama

import (
	"fmt"
	"math"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Rope says how positions become angles.
type Rope struct {
	Theta float64
	Type  string // "" or default, linear, llama3
	// Factor stretches positions (linear) or low frequencies (llama3).
	Factor float64
	// The rest is llama3's: frequencies between the two bounds, as wavelengths per original context, are blended.
	LowFreq, HighFreq float64
	OriginalContext   float64
}

func (r Rope) check() error {
	bad := func(format string, args ...any) error {
		return &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: fmt.Sprintf(format, args...)}
	}
	if !(r.Theta > 1) || math.IsInf(r.Theta, 0) {
		return bad("rope_theta is %g, want above 1", r.Theta)
	}
	switch r.Type {
	case "", "default":
		return nil
	case "linear":
		if !(r.Factor >= 1) {
			return bad("rope_scaling.factor is %g, want at least 1", r.Factor)
		}
		return nil
	case "llama3":
		if !(r.Factor >= 1 && r.LowFreq > 0 && r.HighFreq > r.LowFreq && r.OriginalContext > 0) {
			return bad("rope_scaling of type llama3 has factor %g, low_freq_factor %g, high_freq_factor %g, original_max_position_embeddings %g",
				r.Factor, r.LowFreq, r.HighFreq, r.OriginalContext)
		}
		return nil
	}
	return bad("rope_scaling type %q; default, linear and llama3 are built in", r.Type)
}

// frequency of pair i of a head, in radians a position.
func (r Rope) frequency(i, headDim int) float64 {
	f := math.Pow(r.Theta, -2*float64(i)/float64(headDim))
	switch r.Type {
	case "linear":
		return f / r.Factor
	case "llama3": // Llama 3.1: long waves are stretched, short ones kept, between them a blend
		wave := 2 * math.Pi / f
		low, high := r.OriginalContext/r.LowFreq, r.OriginalContext/r.HighFreq
		switch {
		case wave > low:
			return f / r.Factor
		case wave > high:
			s := (r.OriginalContext/wave - r.LowFreq) / (r.HighFreq - r.LowFreq)
			return (1-s)*f/r.Factor + s*f
		}
	}
	return f
}

// tables are the cosine and sine rows [n, headDim/2].
func (r Rope) tables(n, headDim int) (cos, sin []float32) {
	h := headDim / 2
	for p := range n {
		for i := range h {
			a := float64(p) * r.frequency(i, headDim)
			cos, sin = append(cos, float32(math.Cos(a))), append(sin, float32(math.Sin(a)))
		}
	}
	return cos, sin
}
