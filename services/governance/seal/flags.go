package seal

import (
	"fmt"
	"slices"
	"strings"
)

// Flags derives what the evidence says. Raised needs evidence of the bad fact, or of a check that was never made where the
// flag is named after that; clear needs evidence that covers all it speaks of; everything else is unknown, never clear.
func Flags(d Document, evidence []EvidenceEntry) []Flag {
	out := append(unread(), partial(d), contaminated(d), uncompared(d), hacking(d), ledgerFlag(d))
	if d.Tracked() {
		out = append(out, Flag{Name: "self_reported", State: "raised", Why: "a tracker recorded the run: rewards, evaluations and configuration are its caller's"})
	}
	for i := range out {
		out[i].Evidence = []string{}
		for _, e := range evidence {
			if e.Kind == out[i].Name {
				out[i].Evidence = append(out[i].Evidence, e.Result)
			}
		}
	}
	slices.SortFunc(out, func(a, b Flag) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// unread are the flags that nothing in this version looks at.
func unread() []Flag {
	var out []Flag
	for _, name := range []string{"config_drift", "gpai_modifier", "license_conflict", "pii_found", "replay_below_policy", "retracted_training_data",
		"secrets_found", "spurious_reward", "unknown_license", "unreliable_verifier", "unsafe_model_scan", "unsigned_parent"} {
		out = append(out, Flag{Name: name, State: "unknown", Why: "not checked"})
	}
	for _, name := range []string{"unscanned_pii", "unchecked_retraction"} {
		out = append(out, Flag{Name: name, State: "raised", Why: "no scan was made"})
	}
	return out
}

func partial(d Document) Flag {
	if d.Tracked() {
		return partialTracked(d)
	}
	if d.State() == "succeeded" {
		return Flag{Name: "partial_run", State: "clear", Why: "RUN_CLOSE says that every step was made"}
	}
	return Flag{Name: "partial_run", State: "raised", Why: "the run ended as " + d.State()}
}

// partialTracked never clears: that a tracked run is whole is its tracker's word.
func partialTracked(d Document) Flag {
	if d.Run.Partial {
		return Flag{Name: "partial_run", State: "raised", Why: "not all of the run was made, or not all of it was recorded"}
	}
	return Flag{Name: "partial_run", State: "unknown", Why: "its tracker says that it came to its end and lost nothing; nobody else does"}
}

func contaminated(d Document) Flag {
	switch c := d.Run.Contaminated; {
	case c == nil:
		return Flag{Name: "contaminated_eval", State: "unknown", Why: "there was no held-out set to compare"}
	case *c:
		return Flag{Name: "contaminated_eval", State: "raised", Why: "train and held-out set share prompts"}
	default:
		return Flag{Name: "contaminated_eval", State: "unknown", Why: "no prompt is shared exactly; near duplicates were not looked for"}
	}
}

func uncompared(d Document) Flag {
	if d.Run.Contaminated == nil {
		return Flag{Name: "unchecked_contamination", State: "raised", Why: "train and held-out set were not compared"}
	}
	return Flag{Name: "unchecked_contamination", State: "unknown", Why: "prompts were compared exactly, and in no other way"}
}

func hacking(d Document) Flag {
	for _, c := range d.Health.Counts {
		if c.Kind == "proxy_divergence" || c.Kind == "hack_rate" {
			return Flag{Name: "reward_hacking", State: "raised", Why: "the recorder opened an incident " + c.Kind}
		}
	}
	return Flag{Name: "reward_hacking", State: "unknown", Why: "no second verdict was compared"}
}

// ledgerFlag counts different logs: one checkpoint three times is one log.
func ledgerFlag(d Document) Flag {
	logs := map[string]bool{}
	for _, c := range d.Ledger.Checkpoints {
		logs[logName(c)] = true
	}
	if len(logs) < 3 {
		return Flag{Name: "incomplete_ledger", State: "raised", Why: fmt.Sprintf("%d of 3 logs have a final checkpoint", len(logs))}
	}
	return Flag{Name: "incomplete_ledger", State: "clear", Why: "every log has a signed final checkpoint"}
}

func logName(c Checkpoint) string { return strings.ToLower(strings.TrimPrefix(c.Log, "LOG_")) }
