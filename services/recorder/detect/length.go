package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const lengthFloor = 0.03 // least spread of log length

// length watches the mean number of sampled tokens. Longer answers are no fault by themselves, so nothing here is
// critical, and creep counts only while the reward does not move.
type length struct {
	S struct {
		Base  stat.Baseline    `json:"base"` // of log length
		Last  stat.Window      `json:"last"`
		Creep stat.PageHinkley `json:"creep"`
	}
}

func (*length) name() string { return "length" }
func (*length) kinds() []string {
	return []string{"length_explosion", "length_collapse", "length_creep"}
}
func (*length) reads() []string { return []string{metric.LengthMean} }
func (d *length) state() any    { return &d.S }
func (d *length) reset()        { forget(&d.S) }

func (d *length) step(f *frame) {
	x, ok := f.get(metric.LengthMean)
	if !ok || x < 0 {
		return
	}
	log := math.Log(max(x, 0.5)) // half a token stands for none
	d.S.Last.Add(x)
	if d.S.Base.Ready() {
		d.S.Creep.Add(log, d.S.Base.Sigma, f.Step)
		if now, ok := d.S.Last.Median(3, 0); ok {
			d.judge(f, x, now)
		}
	}
	d.S.Base.Add(log, lengthFloor)
}

func (d *length) judge(f *frame, x, now float64) {
	base, ratio := math.Exp(d.S.Base.M), f.profile.limits["length_explosion_ratio"]
	ev := Evidence{Value: x, HasValue: true, Limit: ratio * base, HasLimit: true, Baseline: base, HasBaseline: true, Note: "median of 3 against the baseline"}
	long := Signal{Kind: "length_explosion", Metric: metric.LengthMean, Clear: now <= clearShare*ratio*base, Evidence: ev}
	if now > ratio*base {
		long.Level = Warn
	}
	f.signal(long)
	ev.Limit = base / ratio
	short := Signal{Kind: "length_collapse", Metric: metric.LengthMean, Clear: now >= base/ratio/clearShare, Evidence: ev}
	if now < base/ratio {
		short.Level = Warn
	}
	f.signal(short)

	height := d.S.Creep.Height(d.S.Base.Sigma)
	ev.HasLimit, ev.Note = false, "Page–Hinkley on log length while the reward has no trend"
	creep := Signal{Kind: "length_creep", Metric: metric.LengthMean, Need: 1, Onset: d.S.Creep.From, HasOnset: true,
		Clear: height <= clearShare*stat.PHLimit, Evidence: ev}
	if height > stat.PHLimit && f.reward.flat() {
		creep.Level = Warn
	}
	f.signal(creep)
}
