package plan

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// What the length penalty cannot be is refused before the run, by its field.
func TestOverlongIsCheckedBeforeTheRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		tokens uint32
		cache  *uint32
		factor *float64
		want   uint32 // effective cache; 0 is refused
	}{
		{"a fifth of the length", 100, nil, nil, 20},
		{"at least one token", 3, nil, nil, 1},
		{"no room beside it", 1, nil, nil, 0},
		{"set", 100, proto.Uint32(40), nil, 40},
		{"none", 100, proto.Uint32(0), nil, 0},
		{"the whole length", 100, proto.Uint32(100), nil, 0},
		{"longer than the length", 100, proto.Uint32(101), nil, 0},
		{"a prize for length", 100, proto.Uint32(20), proto.Float64(-1), 0},
	} {
		p, err := Make(&trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_DAPO, Sampling: &trainerv1.Sampling{MaxTokens: c.tokens},
			Objective: &trainerv1.Objective{OverlongCache: c.cache, OverlongFactor: c.factor}}, "tabular")
		if c.want == 0 {
			if engine.ReasonOf(err) != "INVALID_ARGUMENT" || !strings.Contains(err.Error(), "overlong_cache") {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || p.Spec.GetObjective().GetOverlongCache() != c.want {
			t.Errorf("%s: cache %d, %v; want %d", c.name, p.Spec.GetObjective().GetOverlongCache(), err, c.want)
		}
	}
}
