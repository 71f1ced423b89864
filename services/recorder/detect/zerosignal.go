package detect

import "github.com/provenir/provenir/services/recorder/metric"

// zeroSignal watches groups whose rewards are all equal: they teach nothing. Groups with one or no scored row are not
// among them; they are counted apart by the engine.
type zeroSignal struct {
	S struct {
		All int `json:"all"` // steps in a row without any group that teaches
	}
}

func (*zeroSignal) name() string    { return "zero_signal" }
func (*zeroSignal) kinds() []string { return []string{"zero_signal"} }
func (*zeroSignal) reads() []string { return []string{metric.FracZeroStd, metric.FracNoSignal} }
func (d *zeroSignal) state() any    { return &d.S }
func (d *zeroSignal) reset()        { forget(&d.S) }

func (d *zeroSignal) step(f *frame) {
	x, ok := f.get(metric.FracZeroStd)
	name := metric.FracZeroStd
	if !ok {
		if x, ok = f.get(metric.FracNoSignal); ok {
			name = metric.FracNoSignal
		}
	}
	if comparable := f.Rows.Groups - min(f.Rows.Groups, f.Rows.OneScored+f.Rows.NoneScored); !ok && comparable > 0 {
		x, ok = float64(f.Rows.ZeroStd)/float64(comparable), true
	}
	skipped := f.Rows.Groups > 0 && f.Rows.WithSignal == 0
	if !ok && !skipped {
		return
	}
	if skipped {
		x = 1
	}
	if x >= 1 {
		d.S.All++
	} else {
		d.S.All = 0
	}
	level := Warn
	if d.S.All >= 3 {
		level = Critical
	}
	f.above("zero_signal", name, x, f.profile.limits["zero_signal_max"], level, 0, "share of groups whose rewards are all equal")
}
