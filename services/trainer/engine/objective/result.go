package objective

// Result are the advantages of a batch and the counts behind them.
type Result struct {
	Advantages []float64 // in row order; 0 where there is no signal
	Scored     int       // rows in the statistics
	NonFinite  int       // scored rows whose reward was NaN or infinite: treated as unscored, and to be reported
	Reward     float64   // mean over the scored rows; NaN when there are none
	RewardStd  float64   // sample standard deviation over the scored rows of the batch; NaN below two

	Groups     int // all
	WithSignal int // at least two scored rows that differ
	ZeroStd    int // at least two scored rows, all equal
	OneScored  int
	NoneScored int
}

func (r *Result) count(scored int, std float64) {
	r.Groups++
	switch {
	case scored == 0:
		r.NoneScored++
	case scored == 1:
		r.OneScored++
	case std > flat:
		r.WithSignal++
	default:
		r.ZeroStd++
	}
}

// FracZeroStd is the share of groups whose scored rewards are all equal: TRL's number, which leaves out groups with one
// scored row or none.
func (r Result) FracZeroStd() float64 { return float64(r.ZeroStd) / float64(r.Groups) }

// FracNoSignal is the share of groups that teach nothing, for whatever reason.
func (r Result) FracNoSignal() float64 { return 1 - float64(r.WithSignal)/float64(r.Groups) }

// Signal says whether group by group learning is possible at all.
func (r Result) Signal() bool { return r.WithSignal > 0 }

// Metrics are the numbers that exist, under the recorder's names.
func (r Result) Metrics() map[string]float64 {
	m := map[string]float64{}
	if r.Groups > 0 {
		m["group.frac_zero_std"], m["group.frac_no_signal"] = r.FracZeroStd(), r.FracNoSignal()
	}
	if r.Scored > 0 {
		m["reward.mean"] = r.Reward
	}
	if r.Scored > 1 {
		m["reward.std_batch"] = r.RewardStd
	}
	return m
}
