// Package seal makes the documents of a sealed run: BOM, flags, statement. It is pure.
package seal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/passport"
)

// BOMSchema names the format of bom.json.
const BOMSchema = "provenir.bom/v1"

// BOM is the bill of materials of a run: what it produced, from what, and how that is known.
type BOM struct {
	Schema   string          `json:"schema"`
	Model    *Model          `json:"model"` // null of a tracked run
	Run      json.RawMessage `json:"run"`   // the orchestrator's document, as it was filed
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
		RecordedBy   string `json:"recordedBy"` // tracker, or empty
		Partial      bool   `json:"partial"`
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
	if _, err := passport.Canonical(b); err != nil { // a key twice would be one thing here and another in the BOM
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("not a run's document: %w", err)
	}
	if len(d.Ledger.Checkpoints) == 0 {
		return d, errors.New("it names no ledger checkpoint")
	}
	if by := d.Run.RecordedBy; by != "" && by != passport.ByTracker {
		return d, fmt.Errorf("run.recordedBy is %q; want %q, or nothing of a run that the mesh trained", by, passport.ByTracker)
	}
	return d, nil
}

// Tracked says whether a tracker recorded the run.
func (d Document) Tracked() bool { return d.Run.RecordedBy == passport.ByTracker }

// State is the run's state as the passport spells it.
func (d Document) State() string {
	return strings.ToLower(strings.TrimPrefix(d.Run.State, "RUN_STATE_"))
}

// Ended says whether the state is an end; only that can be sealed.
func (d Document) Ended() bool {
	switch d.State() {
	case "succeeded", "failed", "cancelled", "stopped_by_gate":
		return true
	default:
		return false
	}
}

// Make builds bom.json in canonical form. An injection into the engine is part of the declared configuration and so of
// the BOM.
func Make(model *Model, document []byte, evidence []EvidenceEntry, flags []Flag) ([]byte, error) {
	b := BOM{Schema: BOMSchema, Run: document, Evidence: evidence, Flags: flags, Model: model}
	if b.Evidence == nil {
		b.Evidence = []EvidenceEntry{}
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return passport.Canonical(raw)
}

// ModelOf describes what a run produced.
func ModelOf(id string, checkpoint []byte, files []passport.File) *Model {
	m := &Model{ID: id, Checkpoint: "sha256:" + hex.EncodeToString(checkpoint), Root: passport.Root(files), DirHash: passport.DirHash(files)}
	for _, f := range files {
		m.Files = append(m.Files, ModelFile{f.Name, hex.EncodeToString(f.Digest[:]), f.Size})
	}
	return m
}
