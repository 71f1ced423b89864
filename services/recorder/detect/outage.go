package detect

import (
	"slices"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	outageErrors = 0.05 // share of rollouts that failed: more than now and then
	outageSeen   = 10   // steps of which none paid nothing: a batch of rare rewards may hold none by chance
	outagePace   = 2.0  // times faster or slower than the median step: a verifier that times out, or answers at once
)

// outage finds a verifier that does not answer: rollouts without a verdict, or rewards that all turn 0 at once together
// with another sign of trouble. It is the verifier's fault, and a gate must not read it as the policy's. Rewards that turn
// 0 without any other sign may be the policy's, so they are left to the detectors of the reward.
type outage struct {
	S struct {
		Reward stat.Window `json:"reward"`
		Took   stat.Window `json:"took"` // seconds a step
		Heard  bool        `json:"heard"`
	}
}

func (*outage) name() string    { return "outage" }
func (*outage) kinds() []string { return []string{"reward_outage"} }
func (*outage) reads() []string { return nil }
func (d *outage) state() any    { return &d.S }
func (d *outage) reset()        { forget(&d.S) }

// heard tells that rewards or counts of rows were there to judge.
func (d *outage) heard() bool { return d.S.Heard }

func (d *outage) step(f *frame) {
	unscored, counted := 0.0, f.Rows.ScoredKnown && f.Rows.Sampled > 0
	if counted {
		unscored = 1 - float64(min(f.Rows.Scored, f.Rows.Sampled))/float64(f.Rows.Sampled)
	}
	why := d.trouble(f, unscored)
	mean, hasMean := f.get(metric.RewardMean)
	std, hasStd := f.get(metric.RewardStd)
	d.S.Heard = d.S.Heard || counted || hasMean
	gone := hasMean && mean == 0 && (!hasStd || std == 0) && d.paid()
	switch {
	case gone && why != "":
		f.signal(Signal{Kind: "reward_outage", Level: Critical, Need: 1, Evidence: Evidence{Value: mean, HasValue: true, Note: "every reward turned 0 at once while " + why}})
		return // such a 0 is no reward
	case counted:
		need := 0
		if unscored >= 0.5 {
			need = 1
		}
		f.above("reward_outage", "", unscored, f.profile.limits["unscored_max"], Critical, need, "share of rollouts without a verdict")
	case hasMean && !gone && f.isOpen("reward_outage"):
		f.signal(Signal{Kind: "reward_outage", Clear: true}) // rewards are back; how many were scored a log does not say
	}
	if hasMean {
		d.S.Reward.Add(mean)
	}
}

// paid tells that each of the last steps paid something.
func (d *outage) paid() bool {
	if d.S.Reward.Len() < outageSeen {
		return false
	}
	var buf [32]float64
	return slices.Min(d.S.Reward.Last(buf[:0], len(buf), 0)) > 0
}

// trouble names a sign that the verifier fails; empty where there is none.
func (d *outage) trouble(f *frame, unscored float64) string {
	took, timed := f.get(metric.StepSeconds)
	usual, known := d.S.Took.Median(stat.BaselineReady, 0)
	if timed && took > 0 {
		defer d.S.Took.Add(took)
	}
	failed, hasFailed := f.get(metric.ErrorFrac)
	switch {
	case unscored > 0:
		return "rollouts went unscored"
	case hasFailed && failed > outageErrors:
		return "rollouts failed"
	case timed && known && took > 0 && max(took, usual) >= outagePace*min(took, usual) && max(took, usual) >= 1:
		return "steps took another time"
	}
	return ""
}
