package trainer

import (
	"context"
	"encoding/json"
	"io/fs"
	"strings"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/tabular"
)

// Tabular is the backend of the softmax table. It is chosen by name only: auto never takes it.
func Tabular() Backend {
	return Backend{
		Name: "tabular",
		Open: func(ctx context.Context, o Open) (engine.Engine, error) {
			answers := o.Model.GetTabular().GetAnswers()
			if o.Folder != nil {
				b, err := fs.ReadFile(o.Folder, "config.json")
				if err != nil {
					return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "config.json", Err: err}
				}
				var config struct {
					Answers []byte `json:"answers"`
				}
				if err := json.Unmarshal(b, &config); err != nil {
					return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "config.json", Err: err}
				}
				answers = config.Answers
			}
			e, err := tabular.New(answers)
			if err != nil || o.Folder == nil {
				return e, err
			}
			return e, e.Load(ctx, o.Folder)
		},
		Probe: func(context.Context) (string, map[string]string, error) {
			return "a softmax table, for tests", nil, nil
		},
		Fits: func(s *trainerv1.TrainSpec) error {
			m := s.GetModel()
			if m != nil && m.GetTabular() == nil && m.GetCheckpoint() == "" {
				return &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: "tabular trains model.tabular only; use backend: builtin"}
			}
			if !strings.EqualFold(s.GetBackend(), "tabular") {
				return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: "is for tests and runs only when it is named"}
			}
			if s.GetPeft() != nil {
				return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: "peft: a table has no modules; use backend: builtin"}
			}
			return nil
		},
		Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_SFT, trainerv1.Algorithm_ALGORITHM_GRPO,
			trainerv1.Algorithm_ALGORITHM_DAPO, trainerv1.Algorithm_ALGORITHM_GSPO, trainerv1.Algorithm_ALGORITHM_DR_GRPO},
	}
}
