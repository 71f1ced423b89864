// Package seal makes the documents of a sealed run: BOM, flags, statement. It is pure.
package seal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/passport"
)

// BOMSchema names the format of bom.json.
const BOMSchema = "provenir.bom/v1"

// BOM is the bill of materials of a run: what it produced, from what, and how that is known.
type BOM struct {
	Schema   string          `json:"schema"`
	Model    Model           `json:"model"`
	Run      json.RawMessage `json:"run"` // the orchestrator's document, as it was filed
	Evidence []EvidenceEntry `json:"evidence"`
	Flags    []Flag          `json:"flags"`
}

// Model is what was produced.
type Model struct {
	ID         string      `json:"id"`
	Checkpoint string      `json:"checkpoint"`
	Root       string      `json:"root"`
	DirHash    string      `json:"dirHash"`
	Files      []ModelFile `json:"files"`
}

// ModelFile is one of its files.
type ModelFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// EvidenceEntry is a result that was filed.
type EvidenceEntry struct {
	Kind       string   `json:"kind"`
	Subjects   []string `json:"subjects"`
	Result     string   `json:"result"`
	Tool       string   `json:"tool"`
	State      string   `json:"state"`
	ObservedAt string   `json:"observedAt"`
	Detail     string   `json:"detail,omitempty"`
}

// Flag is a risk flag; a flag without evidence is unknown.
type Flag struct {
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Evidence []string `json:"evidence"`
	Why      string   `json:"why"`
}

// Document is what this package reads of the orchestrator's part.
type Document struct {
	Run struct {
		Name         string `json:"name"`
		State        string `json:"state"`
		Contaminated *bool  `json:"contaminated"`
	} `json:"run"`
	Ledger struct {
		VKey        string       `json:"vkey"`
		Checkpoints []Checkpoint `json:"checkpoints"`
	} `json:"ledger"`
	Config []struct {
		Declared json.RawMessage `json:"declared"`
	} `json:"config"`
	Health struct {
		Counts []struct {
			Kind string `json:"kind"`
		} `json:"counts"`
		Unchecked []string `json:"unchecked"`
	} `json:"health"`
}

// Checkpoint is a final checkpoint of a log.
type Checkpoint struct {
	Log      string `json:"log"`
	Size     uint64 `json:"size"`
	Root     string `json:"root"`
	Note     string `json:"note"`
	Cosigned bool   `json:"cosigned"`
}

// ReadDocument reads the orchestrator's part.
func ReadDocument(b []byte) (Document, error) {
	var d Document
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("the run's document: %w", err)
	}
	if len(d.Ledger.Checkpoints) == 0 {
		return d, fmt.Errorf("the run's document names no ledger checkpoint")
	}
	return d, nil
}

// State is the run's state as the passport spells it.
func (d Document) State() string {
	return strings.ToLower(strings.TrimPrefix(d.Run.State, "RUN_STATE_"))
}

// Flags derives what the evidence says. Raised and clear need evidence; everything else is unknown, never clear.
func Flags(d Document, bomEvidence []EvidenceEntry) []Flag {
	out := []Flag{
		partial(d), contaminated(d), hacking(d),
		{Name: "incomplete_ledger", State: "clear", Why: "every log has a signed final checkpoint"},
	}
	if len(d.Ledger.Checkpoints) < 3 {
		out[3] = Flag{Name: "incomplete_ledger", State: "raised", Why: fmt.Sprintf("%d of 3 logs have a final checkpoint", len(d.Ledger.Checkpoints))}
	}
	for _, name := range []string{"config_drift", "license_conflict", "pii_found", "replay_below_policy", "retracted_training_data",
		"secrets_found", "spurious_reward", "unknown_license", "unreliable_verifier", "unsafe_model_scan", "unsigned_parent"} {
		out = append(out, Flag{Name: name, State: "unknown", Why: "not checked"})
	}
	for _, name := range []string{"unscanned_pii", "unchecked_retraction"} {
		out = append(out, Flag{Name: name, State: "raised", Why: "no scan was made"})
	}
	for i := range out {
		for _, e := range bomEvidence {
			if e.Kind == out[i].Name {
				out[i].Evidence = append(out[i].Evidence, e.Result)
			}
		}
		if out[i].Evidence == nil {
			out[i].Evidence = []string{}
		}
	}
	slices.SortFunc(out, func(a, b Flag) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func partial(d Document) Flag {
	if d.State() == "succeeded" {
		return Flag{Name: "partial_run", State: "clear", Why: "RUN_CLOSE says that every step was made"}
	}
	return Flag{Name: "partial_run", State: "raised", Why: "the run ended as " + d.State()}
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

func hacking(d Document) Flag {
	for _, c := range d.Health.Counts {
		if c.Kind == "proxy_divergence" || c.Kind == "hack_rate" {
			return Flag{Name: "reward_hacking", State: "raised", Why: "the recorder opened an incident " + c.Kind}
		}
	}
	return Flag{Name: "reward_hacking", State: "unknown", Why: "no second verdict was compared"}
}

// Make builds bom.json in canonical form. An injection into the engine is part of the declared configuration and so of
// the BOM.
func Make(model string, checkpoint []byte, files []passport.File, document []byte, evidence []EvidenceEntry, flags []Flag) ([]byte, error) {
	b := BOM{Schema: BOMSchema, Run: document, Evidence: evidence, Flags: flags, Model: Model{ID: model,
		Checkpoint: "sha256:" + hex.EncodeToString(checkpoint), Root: passport.Root(files), DirHash: passport.DirHash(files)}}
	if b.Evidence == nil {
		b.Evidence = []EvidenceEntry{}
	}
	for _, f := range files {
		b.Model.Files = append(b.Model.Files, ModelFile{f.Name, hex.EncodeToString(f.Digest[:]), f.Size})
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return passport.Canonical(raw)
}
