package verify

import (
	"fmt"
	"slices"

	"github.com/provenir/provenir/cli/app"
)

// tally counts what decides the exit code.
type tally struct {
	wrong   int    // rows that could not be used
	failed  int    // rows whose task does not hold
	open    int    // rows without an answer of their own
	unable  int    // rows that this machine could not judge
	because string // what the first of them says
}

// unable are the reasons that lie with the machine: nothing was learnt of the row, and another machine would judge it.
var unable = []string{"isolation_unavailable", "language_unavailable", "sandbox_error"}

func (t *tally) add(l *line, check bool) {
	switch {
	case l.Error != nil:
		t.wrong++
	case l.Status == "unscored" && slices.Contains(unable, l.Reason):
		if t.unable++; t.unable == 1 {
			t.because = l.Reason + ": " + l.Detail
		}
	case !check:
	case l.TaskOK == nil:
		t.open++
	case !*l.TaskOK:
		t.failed++
	}
}

// outcome is the verb's error: bad input counts most, then what does not hold, then what was not checked.
func (t *tally) outcome(keepGoing bool) error {
	switch {
	case t.wrong > 0 && !keepGoing:
		return app.Usage(fmt.Errorf("%d row(s) could not be used; their lines say why (--keep-going accepts that)", t.wrong))
	case t.failed > 0:
		return app.Fails(fmt.Errorf("%d rows do not hold: their own reference fails, or an empty answer passes", t.failed))
	case t.unable > 0:
		return app.Unchecked(fmt.Errorf("%d row(s) could not be judged on this machine and have no reward; the first says %s", t.unable, t.because))
	case t.open > 0:
		return app.Unchecked(fmt.Errorf("%d rows have no answer of their own; whether a right answer passes was not checked", t.open))
	}
	return nil
}
