package detect

import (
	"github.com/provenir/provenir/services/recorder/metric"
)

// Sample is what a STEP record says, as far as detectors read it.
type Sample struct {
	Seq     uint64 // of the record in events
	Step    uint64
	Attempt uint32 // branch: a rollback is a declared new attempt
	Stage   uint32
	// Objective is the row of the objective table that this step followed: a stage of a run need not have the run's
	// method. Empty says nothing, and the run's own counts.
	Objective string
	Digest    [32]byte       // of the payload; the same step with another one is a repeat that diverged
	Values    []metric.Value // sorted by name
	Shape     *metric.Shape  // of the values; nil where nobody has made one
	Rows      Rows
}

// Rows counts the rollouts and groups of a step. Zero totals say nothing: an SFT step has no groups.
type Rows struct {
	Sampled     uint64
	Scored      uint64
	Groups      uint64
	WithSignal  uint64 // groups with spread in their rewards
	ZeroStd     uint64 // at least two scored rows and no spread
	OneScored   uint64
	NoneScored  uint64
	ScoredKnown bool // false where rows are not scored at all, as in SFT
}

// frame is a sample as the detectors of one step see it.
type frame struct {
	*Sample
	profile *Profile
	method  string // of this step's stage
	row     uint64 // steps since the attempt or stage began
	isOpen  func(kind string) bool
	reward  *rewardTrend
	sane    bool // every value is finite and can be what its name says
	out     []Signal
	// retagged are metrics that are another quantity from this step on: detectors that read one begin anew.
	retagged []string
}

// extreme bounds what statistics compute with, so that sums and squares stay finite. What lies beyond is still far over
// every limit.
const extreme = 1e100

// get is the finite training value of a metric. Evaluation values of the same name are another quantity.
func (f *frame) get(name string) (float64, bool) {
	v, ok := f.find(name)
	if !ok || !v.Finite() {
		return 0, false
	}
	return min(max(v.X, -extreme), extreme), true
}

func (f *frame) find(name string) (*metric.Value, bool) {
	vs := f.Values
	if f.Shape != nil {
		if i := f.Shape.Index(name); i >= 0 {
			return &vs[i], true
		}
		return nil, false
	}
	low, high := 0, len(vs)
	for low < high { // a search of its own: a step asks 40 times, and a call for each comparison is dear
		if mid := (low + high) / 2; vs[mid].Name < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for i := low; i < len(vs) && vs[i].Name == name; i++ {
		if vs[i].Scope != "eval" {
			return &vs[i], true
		}
	}
	return nil, false
}

func (f *frame) signal(s Signal) { f.out = append(f.out, s) }

// above judges a value that should stay under a limit.
func (f *frame) above(kind, name string, x, limit float64, level Severity, need int, note string) {
	s := Signal{Kind: kind, Metric: name, Need: need, Clear: x <= clearShare*limit,
		Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: note}}
	if x > limit {
		s.Level = level
	}
	f.signal(s)
}
