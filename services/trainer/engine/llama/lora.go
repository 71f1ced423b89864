package llama

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine"
)

// LoRA trains low-rank adapters beside frozen weights: y = xWᵀ + s·(xAᵀ)Bᵀ (arXiv 2106.09685).
type LoRA struct {
	Rank    int
	Alpha   float64
	RSLoRA  bool     // s = α/√r (arXiv 2312.03732) in place of α/r
	Targets []string // module names such as q_proj; empty: all seven projections
}

// Modules are the projections that adapters can go beside.
var Modules = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// Scale is s.
func (l LoRA) Scale() float64 {
	if l.RSLoRA {
		return l.Alpha / math.Sqrt(float64(l.Rank))
	}
	return l.Alpha / float64(l.Rank)
}

func (l *LoRA) check(c Config) error {
	if l == nil {
		return nil
	}
	bad := func(format string, args ...any) error {
		return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: fmt.Sprintf(format, args...)}
	}
	if !(l.Alpha > 0) || math.IsInf(l.Alpha, 0) {
		return bad("peft.alpha is %g, want above 0", l.Alpha)
	}
	for _, t := range l.Targets {
		if !slices.Contains(Modules, t) {
			return bad("peft.target_modules names %q; this model has %s", t, strings.Join(Modules, ", "))
		}
	}
	for _, p := range c.linear(0) {
		if l.has(p.Name) && (l.Rank < 1 || l.Rank > min(p.Shape[0], p.Shape[1])) {
			return bad("peft.rank is %d; %s is %d by %d", l.Rank, p.Name, p.Shape[0], p.Shape[1])
		}
	}
	return nil
}

// has says whether the named projection gets an adapter.
func (l LoRA) has(weight string) bool {
	parts := strings.Split(strings.TrimSuffix(weight, ".weight"), ".")
	return len(l.Targets) == 0 || slices.Contains(l.Targets, parts[len(parts)-1])
}

// adapters lists the trained weights, A before B.
func (c Config) adapters() (out []Param) {
	for l := range c.Layers {
		for _, p := range c.linear(l) {
			if c.LoRA.has(p.Name) {
				module := strings.TrimSuffix(p.Name, ".weight")
				out = append(out, Param{module + ".lora_A.weight", []int{c.LoRA.Rank, p.Shape[1]}, true},
					Param{module + ".lora_B.weight", []int{p.Shape[0], c.LoRA.Rank}, true})
			}
		}
	}
	return out
}
