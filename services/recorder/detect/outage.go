package detect

import (
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

// outage finds a verifier that does not answer: rollouts without a verdict, or rewards that all turn 0 at once together
// with unscored ones. It is the verifier's fault, and a gate must not read it as the policy's.
type outage struct {
	S struct {
		Reward stat.Baseline `json:"reward"`
	}
}

func (*outage) name() string    { return "outage" }
func (*outage) kinds() []string { return []string{"reward_outage"} }
func (*outage) reads() []string { return nil }
func (d *outage) state() any    { return &d.S }
func (d *outage) reset()        { forget(&d.S) }

func (d *outage) step(f *frame) {
	if !f.Rows.ScoredKnown || f.Rows.Sampled == 0 {
		return
	}
	unscored := 1 - float64(min(f.Rows.Scored, f.Rows.Sampled))/float64(f.Rows.Sampled)
	limit, need := f.profile.limits["unscored_max"], 0
	note := "share of rollouts without a verdict"
	mean, hasMean := f.get(metric.RewardMean)
	std, hasStd := f.get(metric.RewardStd)
	if hasMean && hasStd && mean == 0 && std == 0 && unscored > 0 && d.S.Reward.Ready() && d.S.Reward.M > 0 {
		limit, need, note = 0, 1, "every reward turned 0 at once while rollouts went unscored"
	} else if unscored >= 0.5 {
		need = 1
	}
	f.above("reward_outage", "", unscored, limit, Critical, need, note)
	if hasMean {
		d.S.Reward.Add(mean, 1e-3)
	}
}
