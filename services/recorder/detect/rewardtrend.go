package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	trendPoints = 20
	// trendEvery is how often the trend is fitted: 190 slopes and three ranks of them are the dearest thing in a step.
	trendEvery = 5
	ceiling    = 0.95 // of the reward range: there is no more to learn
)

// rewardTrend fits the mean reward of the last 20 steps and finds that it stands still or falls.
type rewardTrend struct {
	S struct {
		Last  stat.Window `json:"last"`
		Best  float64     `json:"best"` // highest median of 5
		Has   bool        `json:"has"`  // Best is set
		Low   float64     `json:"low"`  // of the last fit's interval
		High  float64     `json:"high"`
		Known bool        `json:"known"` // there was a fit
	}
}

func (*rewardTrend) name() string    { return "reward_trend" }
func (*rewardTrend) kinds() []string { return []string{"reward_plateau", "reward_decline"} }
func (*rewardTrend) reads() []string { return []string{metric.RewardMean} }
func (d *rewardTrend) state() any    { return &d.S }
func (d *rewardTrend) reset()        { forget(&d.S) }

// flat tells that the reward has no trend: the slope's interval holds 0. Without a fit nothing is known, so it is false.
func (d *rewardTrend) flat() bool { return d.S.Known && d.S.Low <= 0 && 0 <= d.S.High }

// falling tells that the reward falls: the slope's interval lies below 0.
func (d *rewardTrend) falling() bool { return d.S.Known && d.S.High < 0 }

func (d *rewardTrend) step(f *frame) {
	x, ok := f.get(metric.RewardMean)
	if !ok {
		return
	}
	d.S.Last.Add(x)
	level, ok := d.S.Last.Median(5, 0)
	if !ok {
		return
	}
	if !d.S.Has || level > d.S.Best {
		d.S.Best, d.S.Has = level, true
	}
	if d.S.Last.N < trendPoints || d.S.Last.N%trendEvery != 0 {
		return
	}
	var buf [trendPoints]float64
	points := d.S.Last.Last(buf[:0], trendPoints, 0)
	t, ok := stat.TheilSen(points)
	if !ok {
		return
	}
	d.S.Low, d.S.High, d.S.Known = t.Low, t.High, true
	d.judge(f, x, level, t.Noise(points), t)
}

func (d *rewardTrend) judge(f *frame, x, level, sigma float64, t stat.Trend) {
	span, n := f.profile.limits["reward_range"], float64(t.N)
	still := max(0.02*span, 0.5*sigma)
	plateau := Signal{Kind: "reward_plateau", Metric: metric.RewardMean, Need: 1, Span: trendEvery,
		Evidence: Evidence{Value: x, HasValue: true, Limit: still, HasLimit: true, Baseline: d.S.Best, HasBaseline: true, Note: "Theil–Sen of 20 steps: total change within the limit"}}
	moves := (t.Low > 0 || t.High < 0) && math.Abs(t.Slope)*n > still
	switch {
	case level >= ceiling*span || moves:
		plateau.Clear = true
	case max(math.Abs(t.Low), math.Abs(t.High))*n <= still:
		plateau.Level = Info
	} // between them the noise of one window decides: it neither begins nor ends anything
	f.signal(plateau)

	fall, least := -t.Slope*n, max(0.05*span, 3*sigma)
	decline := Signal{Kind: "reward_decline", Metric: metric.RewardMean, Need: 2, Span: trendEvery, // two fits in a row
		Evidence: Evidence{Value: x, HasValue: true, Limit: -least, HasLimit: true, Baseline: d.S.Best, HasBaseline: true, Note: "Theil–Sen of 20 steps: a fall"}}
	switch {
	case t.High >= 0 || fall < least:
		decline.Clear = true
	case d.S.Best > 0 && d.S.Best-level >= 0.5*d.S.Best && d.S.Best-level >= 0.05*span:
		decline.Level = Critical
	default:
		decline.Level = Warn
	}
	f.signal(decline)
}
