package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

// rewardSpike finds a jump of the mean reward, up or down: a verifier that changed, or a policy that found a hole in it.
type rewardSpike struct {
	S struct {
		Last stat.Window `json:"last"`
	}
}

func (*rewardSpike) name() string    { return "reward_spike" }
func (*rewardSpike) kinds() []string { return []string{"reward_spike"} }
func (*rewardSpike) reads() []string { return []string{metric.RewardMean} }
func (d *rewardSpike) state() any    { return &d.S }
func (d *rewardSpike) reset()        { forget(&d.S) }

func (d *rewardSpike) step(f *frame) {
	x, ok := f.get(metric.RewardMean)
	if !ok {
		return
	}
	span := f.profile.limits["reward_range"]
	if m, sigma, ok := d.S.Last.Robust(1e-3 * span); ok {
		change := math.Abs(x - m)
		limit := max(f.profile.limits["reward_spike_z"]*sigma, 0.05*span)
		s := Signal{Kind: "reward_spike", Metric: metric.RewardMean, Need: 1, Clear: change <= clearShare*limit,
			Evidence: Evidence{Value: x, HasValue: true, Limit: m + math.Copysign(limit, x-m), HasLimit: true, Baseline: m, HasBaseline: true,
				Note: "against the last 32 steps"}}
		if change > limit {
			s.Level = Warn
		}
		f.signal(s)
	}
	d.S.Last.Add(x)
}
