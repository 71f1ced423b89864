package policy

import (
	"math"
	"slices"

	"github.com/provenir/provenir/services/trainer/engine"
)

// filtered draws from the log probabilities cut down by top-k, then top-p, then min-p (the order of Hugging Face's
// generation), renormalised. Ties keep the lower id, so that the result is the same everywhere.
func filtered(logp []float32, r engine.SampleRequest, u float64) int {
	ids := make([]int, len(logp))
	for i := range ids {
		ids[i] = i
	}
	slices.SortFunc(ids, func(a, b int) int {
		switch {
		case logp[a] > logp[b]:
			return -1
		case logp[a] < logp[b]:
			return 1
		}
		return a - b
	})
	if r.TopK > 0 {
		ids = ids[:min(r.TopK, len(ids))]
	}
	total := 0.0
	for _, id := range ids {
		total += math.Exp(float64(logp[id]))
	}
	if r.TopP > 0 && r.TopP < 1 {
		sum := 0.0
		for i, id := range ids { // the first token to reach the share is still in
			if sum += math.Exp(float64(logp[id])); sum >= r.TopP*total {
				ids = ids[:i+1]
				break
			}
		}
	}
	if r.MinP > 0 {
		floor := float64(logp[ids[0]]) + math.Log(r.MinP)
		for i, id := range ids {
			if float64(logp[id]) < floor {
				ids = ids[:i]
				break
			}
		}
	}
	total = 0
	for _, id := range ids {
		total += math.Exp(float64(logp[id]))
	}
	at := u * total
	for _, id := range ids {
		if at -= math.Exp(float64(logp[id])); at < 0 {
			return id
		}
	}
	return ids[len(ids)-1]
}
