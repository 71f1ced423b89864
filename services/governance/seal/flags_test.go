package seal

import (
	"slices"
	"testing"
)

// names are those of governance's design, all of them: a flag that is left out could be read as clear.
var names = []string{"config_drift", "contaminated_eval", "gpai_modifier", "incomplete_ledger", "license_conflict", "partial_run", "pii_found",
	"replay_below_policy", "retracted_training_data", "reward_hacking", "secrets_found", "spurious_reward", "unchecked_contamination",
	"unchecked_retraction", "unknown_license", "unreliable_verifier", "unsafe_model_scan", "unscanned_pii", "unsigned_parent"}

func document(change func(*Document)) Document {
	var d Document
	no := false
	d.Run.State, d.Run.Contaminated = "RUN_STATE_SUCCEEDED", &no
	d.Ledger.Checkpoints = []Checkpoint{{Log: "LOG_EVENTS"}, {Log: "LOG_FINDINGS"}, {Log: "LOG_TIMING"}}
	if change != nil {
		change(&d)
	}
	return d
}

func tracked(partial bool) func(*Document) {
	return func(d *Document) { d.Run.RecordedBy, d.Run.Partial = "tracker", partial }
}

func TestFlags(t *testing.T) {
	yes := true
	count := func(kind string) func(*Document) {
		return func(d *Document) {
			d.Health.Counts = append(d.Health.Counts, struct {
				Kind string `json:"kind"`
			}{kind})
		}
	}
	for _, c := range []struct {
		name, flag, state string
		change            func(*Document)
	}{
		{"complete", "partial_run", "clear", nil},
		{"failed", "partial_run", "raised", func(d *Document) { d.Run.State = "RUN_STATE_FAILED" }},
		{"stopped", "partial_run", "raised", func(d *Document) { d.Run.State = "RUN_STATE_STOPPED_BY_GATE" }},
		{"three logs", "incomplete_ledger", "clear", nil},
		{"two logs", "incomplete_ledger", "raised", func(d *Document) { d.Ledger.Checkpoints = d.Ledger.Checkpoints[:2] }},
		{"one log three times", "incomplete_ledger", "raised", func(d *Document) {
			d.Ledger.Checkpoints = slices.Repeat(d.Ledger.Checkpoints[:1], 3)
		}},
		{"prompts shared", "contaminated_eval", "raised", func(d *Document) { d.Run.Contaminated = &yes }},
		{"no prompt shared exactly", "contaminated_eval", "unknown", nil},
		{"not compared", "contaminated_eval", "unknown", func(d *Document) { d.Run.Contaminated = nil }},
		{"not compared", "unchecked_contamination", "raised", func(d *Document) { d.Run.Contaminated = nil }},
		{"compared exactly only", "unchecked_contamination", "unknown", nil},
		{"no incident", "reward_hacking", "unknown", nil},
		{"another incident", "reward_hacking", "unknown", count("kl_spike")},
		{"proxy divergence", "reward_hacking", "raised", count("proxy_divergence")},
		{"hack rate", "reward_hacking", "raised", count("hack_rate")},
		{"no scan", "unscanned_pii", "raised", nil},
		{"no scan", "unchecked_retraction", "raised", nil},
		{"nothing looks", "pii_found", "unknown", nil},
		{"nothing looks", "unsafe_model_scan", "unknown", nil},
		{"nothing looks", "gpai_modifier", "unknown", nil},
		{"tracked", "self_reported", "raised", tracked(false)},
		{"tracked, whole by its tracker's word", "partial_run", "unknown", tracked(false)},
		{"tracked, partial though it succeeded", "partial_run", "raised", tracked(true)},
	} {
		t.Run(c.name+" "+c.flag, func(t *testing.T) {
			flags := Flags(document(c.change), nil)
			i := slices.IndexFunc(flags, func(f Flag) bool { return f.Name == c.flag })
			if i < 0 || flags[i].State != c.state || flags[i].Why == "" || flags[i].Evidence == nil {
				t.Errorf("%+v", flags)
			}
		})
	}
}

func TestEveryFlagIsThereInOrder(t *testing.T) {
	var got []string
	for _, f := range Flags(document(nil), []EvidenceEntry{{Kind: "pii_found", Result: "sha256:ab"}, {Kind: "eval", Result: "sha256:cd"}}) {
		got = append(got, f.Name)
		if want := f.Name == "pii_found"; want != slices.Equal(f.Evidence, []string{"sha256:ab"}) {
			t.Errorf("%s cites %q", f.Name, f.Evidence)
		}
		if f.State == "clear" && f.Name != "partial_run" && f.Name != "incomplete_ledger" {
			t.Errorf("%s is clear, and nothing looked", f.Name)
		}
	}
	if !slices.Equal(got, names) {
		t.Errorf("got  %q\nwant %q", got, names)
	}
}
