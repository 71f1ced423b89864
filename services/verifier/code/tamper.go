package code

import (
	"slices"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// Kinds of tampering. All but leftoverProcess force reward 0.
const (
	earlyExit       = "early_exit"
	forgedObject    = "forged_object"
	forgedResult    = "forged_result"
	skippedTests    = "skipped_tests"
	leftoverProcess = "leftover_process"

	candidateHelper = "candidate_helper" // a flag of the judge's, no tampering
)

var (
	exits = []string{"SystemExit", "KeyboardInterrupt", "GeneratorExit"}
	skips = []string{"SkipTest", "Skipped", "OutcomeException", "Exit"}
)

// tamperOf is what an exception gives away: only test runners act on these.
func tamperOf(r *sandbox.Raised) string {
	switch {
	case r == nil:
		return ""
	case slices.Contains(exits, r.Name), slices.Contains(exits, r.Base):
		return earlyExit
	case slices.Contains(skips, r.Name):
		return skippedTests
	}
	return ""
}
