package detect

import (
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	entropyDrift   = 0.7  // of the baseline
	entropyGone    = 0.1  // of the baseline
	entropyLowFrom = 0.05 // a baseline below this is too low for an absolute floor to mean anything
	entropyLow     = 0.1  // nats: a first value below it is worth a word
	entropyFloor   = 0.02 // least spread, nats
)

// entropy watches the policy's entropy against the run's own start. A slow anneal is what training does and stays at
// warn; an abrupt fall is a collapse.
type entropy struct {
	S struct {
		Base  stat.Baseline `json:"base"`
		Last  stat.Window   `json:"last"`
		Down  stat.CUSUM    `json:"down"`
		Up    stat.CUSUM    `json:"up"`
		First bool          `json:"first"` // the first value was judged
	}
}

func (*entropy) name() string { return "entropy" }
func (*entropy) kinds() []string {
	return []string{"entropy_collapse", "entropy_drift", "entropy_explosion"}
}
func (*entropy) reads() []string { return []string{metric.Entropy} }
func (d *entropy) state() any    { return &d.S }
func (d *entropy) reset()        { forget(&d.S) }

func (d *entropy) step(f *frame) {
	x, ok := f.get(metric.Entropy)
	if !ok {
		return
	}
	if !d.S.First {
		d.S.First = true
		if x < entropyLow && !f.profile.lowEntropy {
			f.signal(Signal{Kind: "entropy_drift", Metric: metric.Entropy, Level: Warn, Need: 1,
				Evidence: Evidence{Value: x, HasValue: true, Limit: entropyLow, HasLimit: true, Note: "the run starts with a low entropy; some models do"}})
		}
	}
	b := &d.S.Base
	d.S.Last.Add(x)
	if b.Ready() {
		d.S.Down.Add(-b.Z(x), f.Step)
		d.S.Up.Add(b.Z(x), f.Step)
		if now, ok := d.S.Last.Median(5, 0); ok {
			d.judge(f, x, now)
		}
	}
	b.Add(x, entropyFloor)
}

func (d *entropy) judge(f *frame, x, now float64) {
	base := d.S.Base.M
	signal := func(kind string, level Severity, inside bool, limit float64, note string) {
		f.signal(Signal{Kind: kind, Metric: metric.Entropy, Level: level, Clear: inside && level == None,
			Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Baseline: base, HasBaseline: true, Note: note}})
	}
	drop := f.profile.limits["entropy_drop_frac"] * base
	before, known := d.S.Last.Median(5, 5)
	level, note := None, "median of 5 against the baseline"
	switch {
	case now < entropyGone*base:
		level = Critical
	case base >= entropyLowFrom && now < f.profile.limits["entropy_min"]:
		level, note = Critical, "the policy has become deterministic"
	case now < drop && known && before >= entropyDrift*base:
		level, note = Critical, "halved within 5 steps"
	case now < drop && (f.isOpen("zero_signal") || f.isOpen("reward_plateau")):
		level, note = Critical, "halved while rewards teach nothing"
	}
	if level == Critical && base < entropyLow {
		// The run began nearly deterministic, as a policy does that imitated first: a few hundredths of a nat halve while
		// it learns as it should. It is worth a word and no more.
		level, note = Warn, note+"; the baseline is low already"
	}
	signal("entropy_collapse", level, now > drop/clearShare, drop, note)

	level, note = None, "median of 5 against the baseline"
	switch {
	case now < entropyDrift*base:
		level = Warn
	case d.S.Down.Alarm() && now < base:
		level, note = Warn, "CUSUM: a steady fall"
	}
	signal("entropy_drift", level, now >= entropyDrift*base && d.S.Down.S <= clearShare*stat.CUSUMLimit, entropyDrift*base, note)

	level, note = None, "median of 5 against the baseline"
	lost := d.S.Up.Alarm() && now > base && f.reward.falling()
	switch rising := known && now > before; {
	case now > 4*base && now > entropyLow:
		level = Critical
	case now > 2*base && rising && now > entropyLow:
		level = Warn
	case lost && now > entropyLow:
		level, note = Warn, "CUSUM: a steady rise while the reward falls"
	}
	signal("entropy_explosion", level, now <= clearShare*2*base && !lost, 2*base, note)
}
