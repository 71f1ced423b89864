package validate

import (
	"context"
	"errors"
)

// The states of a rule.
const (
	Held      = "held"
	Broken    = "broken"
	Uncheck   = "unchecked"
	mostSteps = 200 // after which a rule about the end of an episode gives up
	side      = 32  // episodes at once
	drops     = 100
)

// Finding is what became of a rule.
type Finding struct{ Name, State, Detail string }

// Run tries every rule in order. The error is the context's.
func Run(ctx context.Context, t Target, progress func(done, total uint64, phase string)) ([]Finding, error) {
	rules := append(t.Extra(), Rules()...)
	var out []Finding
	for i, r := range rules {
		progress(uint64(i), uint64(len(rules)), r.Name)
		err := r.Try(ctx, t)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f := Finding{Name: r.Name, State: Held}
		var un *Unchecked
		switch {
		case errors.As(err, &un):
			f.State, f.Detail = Uncheck, un.Why
		case err != nil:
			f.State, f.Detail = Broken, err.Error()
		}
		out = append(out, f)
	}
	return out, nil
}

// Rules are those of every environment.
func Rules() []Rule {
	return []Rule{
		{"reset_begins", resetBegins}, {"episode_id_is_kept", keepsID}, {"state_counts_steps", countsSteps}, {"same_seed_same_observations", deterministic},
		{"reset_isolates", isolates}, {"second_reset_begins_anew", secondReset}, {"bad_action_is_an_error", badAction}, {"error_leaves_the_episode_open", goesOn},
		{"end_is_an_end", stepAfterEnd}, {"reward_is_finite", finite}, {"truncated_is_done", truncatedIsDone}, {"close_ends", closes},
		{"episodes_side_by_side", parallel}, {"dropped_connections_free_their_slot", noLeak},
	}
}
