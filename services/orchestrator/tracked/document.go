package tracked

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Recorded are the records that a document is made of.
var Recorded = []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_CONFIG, recorderv1.RecordType_RECORD_TYPE_EVAL, recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE}

// maxEvaluations bounds what of the evaluations goes into a document; all of them are in the ledger.
const maxEvaluations = 256

// Document is what there is to sign of a tracked run. It is read from the ledger: what is signed is what is recorded. It
// says that a tracker recorded it, and it has no field for what nobody knows.
type Document struct {
	Run              runPart           `json:"run"`
	Config           []configPart      `json:"config"`
	Evaluations      []json.RawMessage `json:"evaluations"` // the newest
	EvaluationsTotal int               `json:"evaluationsTotal"`
	Erased           int               `json:"erased"` // records among those read whose payload is gone
	Ledger           ledgerPart        `json:"ledger"`
	Health           json.RawMessage   `json:"health"`
}

type runPart struct {
	RecordedBy string `json:"recordedBy"`
	Name       string `json:"name"`
	Method     string `json:"method,omitempty"`
	Model      string `json:"model,omitempty"`
	SDK        string `json:"sdk,omitempty"`
	State      string `json:"state"`
	Partial    bool   `json:"partial"`
	Steps      uint64 `json:"steps"`
	Rollouts   uint64 `json:"rollouts"`
	Dropped    uint64 `json:"dropped"`
	Invalid    uint64 `json:"invalid"`
	Error      string `json:"error,omitempty"`
}

// configPart is the caller's configuration, byte for byte: it may hold numbers that canonical JSON cannot.
type configPart struct {
	Declared string `json:"declaredJson"`
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

// NewDocument begins with what the recorder's list has. How the run ended, its records say.
func NewDocument(r *recorderv1.TrackedRun) *Document {
	return &Document{Run: runPart{RecordedBy: "tracker", Name: r.GetName(), Method: r.GetMethod(), Model: r.GetModel(), SDK: r.GetSdk(), Steps: r.GetSteps(), Rollouts: r.GetRollouts()},
		Config: []configPart{}, Evaluations: []json.RawMessage{}}
}

// Add takes a record.
func (d *Document) Add(e *recorderv1.Event) error {
	if e.GetPayloadAbsent() != corev1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		d.Erased++
		return nil
	}
	switch e.GetType() {
	case recorderv1.RecordType_RECORD_TYPE_CONFIG:
		var c orchestratorv1.ConfigRecord
		if err := proto.Unmarshal(e.GetPayload(), &c); err != nil {
			return err
		}
		d.Config = append(d.Config, configPart{string(c.GetDeclared())})
	case recorderv1.RecordType_RECORD_TYPE_EVAL:
		x, err := Evaluation(e.GetPayload())
		if err != nil {
			return err
		}
		b, err := protojson.Marshal(x)
		if err != nil {
			return err
		}
		d.EvaluationsTotal++
		d.Evaluations = append(d.Evaluations[max(0, len(d.Evaluations)-maxEvaluations+1):], b)
	case recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE:
		var c orchestratorv1.RunClose
		if err := proto.Unmarshal(e.GetPayload(), &c); err != nil {
			return err
		}
		d.Run.State, d.Run.Partial, d.Run.Dropped, d.Run.Invalid, d.Run.Error = c.GetState().String(), c.GetPartial(), c.GetDropped(), c.GetInvalid(), c.GetError()
	}
	return nil
}

// ErrNoEnd tells that no record says how the run ended.
var ErrNoEnd = errors.New("how the run ended cannot be read, and nothing else says it")

// Succeeded tells whether the run came to its end by its tracker's word.
func (d *Document) Succeeded() bool {
	return d.Run.State == orchestratorv1.RunState_RUN_STATE_SUCCEEDED.String()
}

// Seal adds what was signed at the end and what the recorder found, and gives the document.
func (d *Document) Seal(sealed *recorderv1.SealRunResponse, health *recorderv1.RunSummary) ([]byte, error) {
	if d.Run.State == "" {
		return nil, ErrNoEnd
	}
	d.Ledger.VKey = sealed.GetVkey()
	for _, l := range sealed.GetCheckpoints() {
		d.Ledger.Checkpoints = append(d.Ledger.Checkpoints, checkpointPart{l.GetLog().String(), l.GetSize(), "sha256:" + hex.EncodeToString(l.GetRoot()), l.GetNote(), l.GetCosigned()})
	}
	health = proto.CloneOf(health)
	health.Metrics, health.Checkpoints = nil, nil
	var err error
	if d.Health, err = protojson.Marshal(health); err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

// Abandoned is the error in the record that ends a run in its tracker's place.
const Abandoned = "Abandoned"

// CloseRow is the row that ends a run which nobody writes any more.
func CloseRow(seq uint64, at string) string {
	return fmt.Sprintf(`{"seq":%d,"type":"close","at":%q,"outcome":"partial","error":%q}`, seq, strings.TrimSpace(at), Abandoned)
}
