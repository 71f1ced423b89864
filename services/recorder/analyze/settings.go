package analyze

import (
	"math"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect"
)

// fill takes from an engine's own settings what the caller did not say. What the engine uses counts, and not what was
// declared: frameworks patch each other's defaults.
func fill(c *detect.Config) {
	if x, ok := setting(c.Effective, "beta", "kl_coef", "kl_coefficient"); ok && c.Beta == nil && x >= 0 {
		c.Beta = &x
	}
	if x, ok := setting(c.Effective, "num_iterations", "ppo_epochs"); ok && c.NumIterations == nil && x >= 1 && x == math.Trunc(x) && x <= math.MaxUint32 {
		n := uint32(x)
		c.NumIterations = &n
	}
	p, hasP := setting(c.Effective, "top_p")
	k, hasK := setting(c.Effective, "top_k")
	if hasP && p > 0 && p < 1 || hasK && k > 0 { // 0 and -1 are how engines say that all tokens may come
		c.TruncatedSampling = true
	}
}

// setting finds a number by the last part of its name; ok is false where it is no finite number, or where two fields of
// that name differ.
func setting(fields map[string]string, names ...string) (x float64, ok bool) {
	for field, text := range fields {
		last := strings.ToLower(field[strings.LastIndexAny(field, "./")+1:])
		for _, n := range names {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if last != n || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			if ok && v != x {
				return 0, false
			}
			x, ok = v, true
		}
	}
	return x, ok
}
