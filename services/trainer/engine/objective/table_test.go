package objective

import (
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
)

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name             string
		lo, hi, kl       float64
		agg              Aggregation
		seq, flat, train bool
		est              Estimator
	}{
		{"sft", .2, .2, 0, TokenMean, false, false, true, ""},
		{"grpo", .2, .2, .005, SequenceMean, false, false, true, GroupStd},
		{"dapo", .2, .28, 0, TokenMean, false, true, true, GroupStd},
		{"gspo", 3e-4, 4e-4, 0, SequenceMean, true, false, true, GroupStd},
		{"dr_grpo", .2, .2, 0, Constant, false, false, true, GroupMean},
		{"cispo", .2, 5, 0, TokenMean, false, false, false, GroupStd},
		{"sapo", .2, .2, 0, SequenceMean, false, false, false, GroupStd},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Lookup(c.name)
			if err != nil {
				t.Fatal(err)
			}
			h := r.Hyper()
			if h.ClipLow != c.lo || h.ClipHigh != c.hi || h.KL != c.kl || h.SequenceRatio != c.seq || h.MaxNorm != 1 || h.LR != 0 {
				t.Errorf("hyper %+v", h)
			}
			if r.Params.Aggregation != c.agg || r.DropFlat != c.flat || r.Estimator != c.est {
				t.Errorf("row %+v", r)
			}
			if r.Params.MaxLen = 16; r.Check() != nil {
				t.Errorf("the defaults are refused: %v", r.Check())
			}
			if err := r.CheckTrainable(); (err == nil) != c.train {
				t.Errorf("CheckTrainable: %v", err)
			}
		})
	}
}

func TestLookupRefuses(t *testing.T) {
	for _, name := range []string{"ppo", "kto", "orpo", "luspo", "vespo", "GRPO", ""} {
		_, err := Lookup(name)
		if engine.ReasonOf(err) != "ENGINE_LACKS_ALGORITHM" {
			t.Errorf("%q: %v", name, err)
		}
	}
	r := row(t, "grpo", func(p *Params) { p.IS, p.ISCap = TokenMask, 2 })
	if got := engine.ReasonOf(r.CheckTrainable()); got != "OPTION_UNSUPPORTED" {
		t.Errorf("importance weights in training: %q", got)
	}
}

// The weights of a batch sum to one whatever the lengths, and a row without loss leaves the others as they were.
func TestWeights(t *testing.T) {
	full := Lengths(6, 4, 2, 5)
	masked := append(Lengths(6, 4, 2, 5), make([]bool, 3))
	for _, c := range []struct {
		agg  Aggregation
		sum  float64
		head float64 // weight of the first token
	}{{SequenceMean, 1, 1. / 24}, {TokenMean, 1, 1. / 17}, {Constant, 17. / 64, 1. / 64}} {
		a, err := Weights(c.agg, full, 16)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Weights(c.agg, masked, 16)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range a {
			for k := range a[i] {
				sum += float64(a[i][k])
				near(t, "with a masked row", float64(b[i][k]), float64(a[i][k]), 0)
			}
		}
		for _, w := range b[4] {
			near(t, "masked row", float64(w), 0, 0)
		}
		near(t, string(c.agg)+" sum", sum, c.sum, 1e-6)
		near(t, string(c.agg)+" first", float64(a[0][0]), c.head, 1e-8)
	}
	if _, err := Weights(Constant, full, 4); err == nil {
		t.Error("a row longer than L_max was accepted")
	}
	if _, err := Weights("sum", full, 4); err == nil {
		t.Error("an unknown aggregation was accepted")
	}
}
