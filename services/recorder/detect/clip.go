package detect

import (
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	clipHealthy = 0.1  // share of clipped tokens that is usual; below it a shift is of no interest
	clipFloor   = 0.01 // least spread of a share
)

// clip watches the share of tokens whose ratio was clipped. The two sides are watched apart as well: tokens that are held
// back at the top and tokens that are held back at the bottom are different faults, and one may hide behind the sum.
type clip struct {
	S struct {
		Region clipSide `json:"region"`
		Low    clipSide `json:"low"`
		High   clipSide `json:"high"`
	}
}

type clipSide struct {
	Base stat.Baseline `json:"base"`
	Up   stat.CUSUM    `json:"up"`
}

func (*clip) name() string    { return "clip" }
func (*clip) kinds() []string { return []string{"clip_high"} }
func (*clip) reads() []string { return []string{metric.ClipRegion, metric.ClipLow, metric.ClipHigh} }
func (d *clip) state() any    { return &d.S }
func (d *clip) reset()        { forget(&d.S) }

func (d *clip) step(f *frame) {
	breached := d.S.Region.step(f, metric.ClipRegion, false)
	d.S.Low.step(f, metric.ClipLow, breached)
	d.S.High.step(f, metric.ClipHigh, breached)
}

// step judges one share. told says that the sum of both sides was breached in this step: a side then has nothing to add.
func (c *clipSide) step(f *frame, name string, told bool) (breached bool) {
	x, ok := f.get(name)
	if !ok {
		return false
	}
	limit := f.profile.limits["clip_max"]
	s := Signal{Kind: "clip_high", Metric: name, Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true,
		Note: "share of tokens whose ratio was clipped"}}
	if c.Base.Ready() {
		c.Up.Add(c.Base.Z(x), f.Step)
		s.Evidence.Baseline, s.Evidence.HasBaseline = c.Base.M, true
	}
	switch {
	case told:
	case x > limit:
		s.Level = Warn
	case c.Up.Alarm() && x > clipHealthy:
		s.Level, s.Need, s.Onset, s.HasOnset = Warn, 1, c.Up.Onset, true
		s.Evidence.Limit, s.Evidence.Note = clipHealthy, "CUSUM: more tokens are clipped than at the start"
	}
	s.Clear = s.Level == None && x <= clearShare*limit && (x <= clipHealthy || c.Up.S <= clearShare*stat.CUSUMLimit)
	f.signal(s)
	c.Base.Add(x, clipFloor)
	return s.Level != None
}
