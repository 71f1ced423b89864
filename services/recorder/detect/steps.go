package detect

// frozenReports is how many reports of one step in a row mean that the counter does not move.
const frozenReports = 5

// steps watches the step counter itself: an engine that resumes at the wrong place may train nothing and look fine.
// Steps that run again after a crash are no news to the ledger and do not come here.
type steps struct {
	S struct {
		Seen    bool     `json:"seen"`
		Last    uint64   `json:"last"`
		Digest  [32]byte `json:"digest"`
		Stride  uint64   `json:"stride"`  // largest step so far between two reports, learned over the first ones
		Reports uint64   `json:"reports"` // in this attempt
		Same    int      `json:"same"`    // reports of Last beyond the first
	}
}

func (*steps) name() string { return "steps" }
func (*steps) kinds() []string {
	return []string{"step_gap", "step_repeat", "step_regress", "step_frozen"}
}
func (*steps) reads() []string { return nil }
func (d *steps) state() any    { return &d.S }
func (d *steps) reset()        { forget(&d.S) }

func (d *steps) step(f *frame) {
	s := &d.S
	var gap, repeat, regress, frozen Severity
	switch {
	case !s.Seen:
		s.Stride = 1
	case f.Step == s.Last && f.Digest == s.Digest:
		return // the same report twice
	case f.Step == s.Last:
		repeat = Critical
		if s.Same++; s.Same >= frozenReports {
			frozen = Warn
		}
	case f.Step < s.Last:
		regress = Warn
		s.Same = 0
	default:
		s.Same = 0
		moved := f.Step - s.Last
		if s.Reports < 5 {
			s.Stride = max(s.Stride, moved)
		} else if moved > s.Stride {
			gap = Warn
		}
	}
	expected := s.Last + s.Stride
	known := s.Seen
	s.Seen, s.Last, s.Digest = true, f.Step, f.Digest
	s.Reports++
	emit := func(kind string, level Severity, note string) {
		f.signal(Signal{Kind: kind, Level: level, Need: 1, Clear: level == None,
			Evidence: Evidence{Value: float64(f.Step), HasValue: true, Limit: float64(expected), HasLimit: known, Note: note}})
	}
	emit("step_gap", gap, "steps are missing")
	emit("step_repeat", repeat, "the same step came again with other content")
	emit("step_regress", regress, "the counter went back without a new attempt")
	emit("step_frozen", frozen, "the counter does not move")
}
