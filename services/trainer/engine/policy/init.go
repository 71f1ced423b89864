package policy

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// Init draws the weights: matrices with standard deviation 1/√fan_in, those that write to the residual stream further
// divided by √(2L), the embedding 1/√dim, norms 1, biases 0, adapters' B 0. An embedding at the usual .02 learns far
// slower when it is the head as well.
func (p *Policy) Init(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	draw(p.frozen, p.cfg.Frozen(), rng, p.cfg.Layers)
	draw(p.now.p, p.cfg.Trained(), rng, p.cfg.Layers)
}

// InitAdapters draws the trained weights only: the base was loaded.
func (p *Policy) InitAdapters(seed uint64) {
	draw(p.now.p, p.cfg.Trained(), rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), p.cfg.Layers)
}

func draw(flat []float32, ps []llama.Param, rng *rand.Rand, layers int) {
	at := 0
	for _, p := range ps {
		w := flat[at : at+p.Size()]
		at += p.Size()
		std := 1 / math.Sqrt(float64(p.Shape[len(p.Shape)-1]))
		switch {
		case strings.HasSuffix(p.Name, "norm.weight"):
			for i := range w {
				w[i] = 1
			}
			continue
		case strings.HasSuffix(p.Name, ".bias"), strings.HasSuffix(p.Name, "lora_B.weight"):
			clear(w)
			continue
		case strings.HasSuffix(p.Name, "o_proj.weight"), strings.HasSuffix(p.Name, "down_proj.weight"):
			std /= math.Sqrt(2 * float64(layers))
		}
		for i := range w {
			w[i] = float32(rng.NormFloat64() * std)
		}
	}
}
