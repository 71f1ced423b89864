package run

import (
	"fmt"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// State is short for the enum.
type State = orchestratorv1.RunState

// States.
const (
	Pending   = orchestratorv1.RunState_RUN_STATE_PENDING
	Starting  = orchestratorv1.RunState_RUN_STATE_STARTING
	Running   = orchestratorv1.RunState_RUN_STATE_RUNNING
	Gating    = orchestratorv1.RunState_RUN_STATE_GATING
	Paused    = orchestratorv1.RunState_RUN_STATE_PAUSED
	Sealing   = orchestratorv1.RunState_RUN_STATE_SEALING
	Succeeded = orchestratorv1.RunState_RUN_STATE_SUCCEEDED
	Failed    = orchestratorv1.RunState_RUN_STATE_FAILED
	Cancelled = orchestratorv1.RunState_RUN_STATE_CANCELLED
	Stopped   = orchestratorv1.RunState_RUN_STATE_STOPPED_BY_GATE
)

// after says which states may follow. Sealing is the only way to an end that has a ledger: a run without a seal is not
// SUCCEEDED. A run that has no stage in its ledger fails or is cancelled directly, and one that cannot be sealed fails.
var after = map[State][]State{
	Pending:  {Starting, Cancelled, Failed},
	Starting: {Starting, Running, Gating, Paused, Sealing, Failed, Cancelled},
	Running:  {Running, Gating, Paused, Sealing, Starting, Failed, Cancelled},
	Gating:   {Gating, Running, Paused, Sealing, Starting, Failed, Cancelled},
	Paused:   {Paused, Running, Sealing, Starting, Failed, Cancelled},
	Sealing:  {Sealing, Starting, Succeeded, Failed, Cancelled, Stopped},
}

// Ended says whether nothing follows.
func Ended(s State) bool { return s == Succeeded || s == Failed || s == Cancelled || s == Stopped }

// Next checks a change of state.
func Next(from, to State) error {
	for _, s := range after[from] {
		if s == to {
			return nil
		}
	}
	return fmt.Errorf("a run cannot go from %s to %s", from, to)
}
