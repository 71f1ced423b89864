package incident

import (
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
)

// What is told of incidents is enough to know of them what matters: which are open, and how many there were.
func TestAdoptedIncidentsAreThoseThatWereTold(t *testing.T) {
	level := func(kind string, l detect.Severity, clear bool) detect.Signal {
		return detect.Signal{Kind: kind, Level: l, Need: 1, Clear: clear}
	}
	first := New("run")
	var told []Event
	step := func(n int, signals ...detect.Signal) {
		for range n {
			told = append(told, first.Step(Place{Step: 7}, 1, signals)...)
		}
	}
	step(1, level("stall", detect.Warn, false))
	step(2, level("stall", detect.Critical, false)) // escalates
	step(12, level("stall", detect.None, true))     // ends
	step(1, level("stall", detect.Warn, false))     // the same goes on
	step(1, level("disk_low", detect.Critical, false))
	step(11, level("disk_low", detect.None, true))
	for cut := range len(told) + 1 {
		again := New("run")
		again.Adopt(1, told[:cut])
		if cut < len(told) {
			continue // any beginning of the log can be adopted
		}
		onset, ok := again.FirstOnset()
		wantOnset, wantOK := first.FirstOnset()
		if !slices.Equal(again.Counts(), first.Counts()) || again.Worst() != first.Worst() || onset != wantOnset || ok != wantOK ||
			again.IsOpen("stall") != first.IsOpen("stall") || again.IsOpen("disk_low") != first.IsOpen("disk_low") ||
			again.Verdict(true) != first.Verdict(true) {
			t.Errorf("adopted %+v, was %+v", again.s, first.s)
		}
		events := again.Step(Place{Step: 8}, 1, []detect.Signal{level("stall", detect.Warn, false)})
		if len(events) != 0 {
			t.Errorf("what was open is opened again: %+v", events)
		}
	}
}
