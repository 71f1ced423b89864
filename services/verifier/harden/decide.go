package harden

import (
	"fmt"
	"strings"
)

// decide says what the report comes to. A verifier that rejects everything fails on false negatives, one that accepts
// everything on false positives.
func (r *run) decide(right, wrong int) {
	rep := r.report
	rep.FalsePositives = RateOf(rep.FalsePositives.Hits, rep.FalsePositives.Trials)
	rep.FalseNegatives = RateOf(rep.FalseNegatives.Hits, rep.FalseNegatives.Trials)
	note := func(format string, args ...any) { rep.Reasons = append(rep.Reasons, fmt.Sprintf(format, args...)) }
	rep.Verdict = Passed
	production := false
	switch strings.ToLower(r.cfg.Stage) {
	case "production", "prod", "release":
		production = true
	}
	for _, m := range rep.Modes {
		if m.Held.Hits == m.Held.Trials {
			continue
		}
		note("%s: %d of %d probes got a wrong verdict", m.Name, m.Held.Trials-m.Held.Hits, m.Held.Trials)
		if m.Blocking && production {
			rep.Verdict = Blocked
		}
	}
	if above := rep.FalsePositives.Above(); above > r.cfg.MaxFPR {
		note("the false-positive rate may be %.3g, above %.3g: %d of %d wrong responses passed", above, r.cfg.MaxFPR, rep.FalsePositives.Hits, rep.FalsePositives.Trials)
		if production {
			rep.Verdict = Blocked
		}
	}
	if n := rep.FalseNegatives; n.Trials > 0 && n.Hits == n.Trials {
		note("no right response passed: the verifier rejects everything")
		rep.Verdict = Blocked
	}
	if p := rep.FalsePositives; p.Trials > 0 && p.Hits == p.Trials {
		note("every wrong response passed: the verifier accepts everything")
		rep.Verdict = Blocked
	}
	if rep.Verdict == Passed && len(rep.Reasons) > 0 {
		rep.Verdict = Warned
	}
	if right < Least || wrong < Least {
		note("%d probes that should pass and %d that should not; a gate needs %d of each", right, wrong, Least)
		if rep.Verdict != Blocked {
			rep.Verdict = Insufficient
		}
	}
}
