package loop

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// document is what the orchestrator knows of a run, for the BOM. It is read from the ledger, not from memory: what is
// signed is what is recorded. Integers above 2^53 are strings, as protojson writes them.
type document struct {
	Run         runPart           `json:"run"`
	Config      []configPart      `json:"config"`
	Data        []dataPart        `json:"data"`
	Evaluations []json.RawMessage `json:"evaluations"`
	Gates       []json.RawMessage `json:"gates"`
	Ledger      ledgerPart        `json:"ledger"`
	Health      json.RawMessage   `json:"health"`
}

type runPart struct {
	Name          string `json:"name"`
	Algorithm     string `json:"algorithm"`
	Seed          string `json:"seed"`
	State         string `json:"state"`
	Steps         uint64 `json:"steps"`
	Rollouts      uint64 `json:"rollouts"`
	Scored        uint64 `json:"scored"`
	TimeDependent uint64 `json:"timeDependent"`
	Chain         string `json:"chain"`
	Contaminated  *bool  `json:"contaminated"` // null: not checked
}

type configPart struct {
	Stage       uint32            `json:"stage"`
	Declared    json.RawMessage   `json:"declared"`
	Effective   json.RawMessage   `json:"effective"`
	Repeatable  bool              `json:"repeatable"`
	Base        string            `json:"base"`
	Tokenizer   string            `json:"tokenizer"`
	Verifier    string            `json:"verifier"`
	Parameters  uint64            `json:"parameters"`
	Environment map[string]string `json:"environment"`
}

type dataPart struct {
	Stage       uint32 `json:"stage"`
	Use         string `json:"use"`
	Digest      string `json:"digest"`
	OrderedRoot string `json:"orderedRoot"`
	Rows        uint64 `json:"rows"`
}

type ledgerPart struct {
	VKey        string           `json:"vkey"`
	Checkpoints []checkpointPart `json:"checkpoints"`
}

type checkpointPart struct {
	Log      string `json:"log"`
	Size     uint64 `json:"size"`
	Root     string `json:"root"`
	Note     string `json:"note"`
	Cosigned bool   `json:"cosigned"`
}

func sha(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return "sha256:" + hex.EncodeToString(b)
}

// document gathers the parts. Few records are read, by type: CONFIG, DATA_ORDER, EVAL, GATE.
func (o *Owner) document(ctx context.Context, c journal.Close, sealed *recorderv1.SealRunResponse) ([]byte, error) {
	spec := o.Run.GetSpec()
	d := document{Run: runPart{Name: spec.GetDisplayName(), Algorithm: run.Name(spec.GetAlgorithm()), Seed: fmt.Sprint(spec.GetSeed()),
		State: run.State(c.State).String(), Steps: c.Steps, Rollouts: c.Rollouts, Scored: c.Scored, TimeDependent: c.Clocked, Chain: sha(c.Chain)}}
	types := []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_CONFIG, recorderv1.RecordType_RECORD_TYPE_DATA_ORDER,
		recorderv1.RecordType_RECORD_TYPE_EVAL, recorderv1.RecordType_RECORD_TYPE_GATE}
	req := &recorderv1.ListEventsRequest{Run: o.Run.GetUid(), Types: types, PageSize: 500}
	for {
		page, err := o.Peers.Recorder.ListEvents(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		for _, e := range page.GetEvents() {
			if err := d.add(e); err != nil {
				return nil, fmt.Errorf("record %d: %w", e.GetSeq(), err)
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	d.Ledger.VKey = sealed.GetVkey()
	for _, l := range sealed.GetCheckpoints() {
		d.Ledger.Checkpoints = append(d.Ledger.Checkpoints, checkpointPart{l.GetLog().String(), l.GetSize(), sha(l.GetRoot()), l.GetNote(), l.GetCosigned()})
	}
	summary, err := o.Peers.Recorder.GetRunSummary(ctx, &recorderv1.GetRunSummaryRequest{Run: o.Run.GetUid()})
	if err != nil {
		return nil, fmt.Errorf("read the run's summary: %w", err)
	}
	health := proto.CloneOf(summary.GetSummary())
	health.Metrics, health.Checkpoints = nil, nil
	if d.Health, err = protojson.Marshal(health); err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

func (d *document) add(e *recorderv1.Event) error {
	switch e.GetType() {
	case recorderv1.RecordType_RECORD_TYPE_CONFIG:
		return d.config(e)
	case recorderv1.RecordType_RECORD_TYPE_DATA_ORDER:
		var x orchestratorv1.DataOrder
		if err := proto.Unmarshal(e.GetPayload(), &x); err != nil {
			return err
		}
		d.data(x.GetStage(), "train", x.GetDataset())
		if x.GetEval() != nil && x.GetStage() == 0 {
			d.data(x.GetStage(), "eval", x.GetEval())
		}
		if x.SharedRows != nil {
			shared := x.GetSharedRows() > 0
			d.Run.Contaminated = &shared
		}
	case recorderv1.RecordType_RECORD_TYPE_EVAL:
		return keep(&d.Evaluations, e.GetPayload(), &evaluatorv1.Evaluation{})
	case recorderv1.RecordType_RECORD_TYPE_GATE:
		return keep(&d.Gates, e.GetPayload(), &orchestratorv1.GateDecision{})
	}
	return nil
}

func (d *document) data(stage uint32, use string, ref *corev1.DatasetRef) {
	d.Data = append(d.Data, dataPart{stage, use, sha(ref.GetDigest()), sha(ref.GetOrderedRoot()), ref.GetRows()})
}

func (d *document) config(e *recorderv1.Event) error {
	var x orchestratorv1.ConfigRecord
	var v orchestratorv1.ConfigVolatile
	var declared orchestratorv1.RunSpec
	var effective trainerv1.TrainSpec
	for _, p := range []struct {
		b []byte
		m proto.Message
	}{{e.GetPayload(), &x}, {e.GetVolatile(), &v}} {
		if err := proto.Unmarshal(p.b, p.m); err != nil {
			return err
		}
	}
	part := configPart{Stage: x.GetStage(), Repeatable: x.GetRepeatable(), Base: sha(x.GetBase()), Tokenizer: sha(x.GetTokenizer()),
		Verifier: sha(x.GetVerifierDigest()), Parameters: x.GetParameters(), Environment: v.GetEnv().GetValues()}
	for _, p := range []struct {
		b   []byte
		m   proto.Message
		out *json.RawMessage
	}{{x.GetDeclared(), &declared, &part.Declared}, {x.GetEffective(), &effective, &part.Effective}} {
		if err := proto.Unmarshal(p.b, p.m); err != nil {
			return err
		}
		b, err := protojson.Marshal(p.m)
		if err != nil {
			return err
		}
		*p.out = b
	}
	d.Config = append(d.Config, part)
	return nil
}

func keep(into *[]json.RawMessage, payload []byte, m proto.Message) error {
	if err := proto.Unmarshal(payload, m); err != nil {
		return err
	}
	b, err := protojson.Marshal(m)
	*into = append(*into, b)
	return err
}
