package code

import (
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// observed is everything that is known of a candidate after its job; the verdict is a function of it.
type observed struct {
	result sandbox.Result
	load   sandbox.Load
	rows   []sandbox.Row // of the tests that were run, in order
	names  []string      // of all tests
	tamper []string
	flags  []string
	raised *sandbox.Raised // of the first test that failed so
	absent bool            // the entry point does not exist
}

func (o *observed) note(kind string) {
	if kind != "" && !slices.Contains(o.tamper, kind) {
		o.tamper = append(o.tamper, kind)
	}
}

// settle adds what only the end of the job tells: a candidate that left of its own will, and what it left behind.
func (o *observed) settle() {
	gone := o.load.Gone
	for _, r := range o.rows {
		gone = gone || r.Outcome == sandbox.CandidGone
		if r.Outcome == sandbox.CandidExit {
			o.note(earlyExit)
		}
	}
	if gone && o.result.Signal == 0 && o.result.Limit == sandbox.NoLimit {
		o.note(earlyExit)
	}
	if o.load.Malformed != "" {
		o.note(forgedResult)
	}
	o.note(tamperOf(o.load.Raised))
	if o.result.Leftover {
		o.note(leftoverProcess)
	}
}

// forces says whether the reward is 0 whatever the tests say.
func (o *observed) forces() bool {
	return o.result.Limit == sandbox.SecurityViolation || slices.ContainsFunc(o.tamper, func(k string) bool { return k != leftoverProcess })
}

// part gives the rows of the visible or the hidden tests, and how many such tests there are. A parametrised test may have more
// rows than names.
func (o *observed) part(hidden bool) (rows []sandbox.Row, total int) {
	for _, n := range o.names {
		if isHidden(n) == hidden {
			total++
		}
	}
	for _, r := range o.rows {
		if isHidden(r.Test) == hidden {
			rows = append(rows, r)
		}
	}
	return rows, max(total, len(rows))
}

func isHidden(name string) bool { return strings.HasPrefix(name, hiddenColumn) }
