package builtin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/provenir/provenir/internal/safetensors"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// Files and names of a PEFT folder.
const (
	adapterWeights = "adapter_model.safetensors"
	adapterConfig  = "adapter_config.json"
	adapterPrefix  = "base_model.model."
)

// peftConfig are the fields of an adapter_config.json that decide the numbers.
type peftConfig struct {
	Type    string   `json:"peft_type"`
	Task    string   `json:"task_type"`
	Rank    int      `json:"r"`
	Alpha   float64  `json:"lora_alpha"`
	RSLoRA  bool     `json:"use_rslora"`
	DoRA    bool     `json:"use_dora"`
	Bias    string   `json:"bias"`
	Dropout float64  `json:"lora_dropout"`
	Fan     bool     `json:"fan_in_fan_out"`
	Targets []string `json:"target_modules"`
}

func (e *Engine) saveAdapter(write func(string, func(io.Writer) error) error, whole func(string, []byte) error) error {
	c := e.policy.Config()
	targets := c.LoRA.Targets
	if len(targets) == 0 {
		targets = llama.Modules
	}
	raw, err := json.MarshalIndent(peftConfig{Type: "LORA", Task: "CAUSAL_LM", Rank: c.LoRA.Rank, Alpha: c.LoRA.Alpha,
		RSLoRA: c.LoRA.RSLoRA, Bias: "none", Targets: targets}, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", adapterConfig, err)
	}
	return errors.Join(whole(adapterConfig, append(raw, '\n')), write(adapterWeights, func(w io.Writer) error {
		return safetensors.Write(w, stretches(c.Trained(), e.policy.Trained(), adapterPrefix), map[string]string{"format": "pt"})
	}))
}

// readAdapter fills flat from a PEFT folder whose adapters are of the same shape and scale.
func (e *Engine) readAdapter(from fs.FS, flat []float32) error {
	c := e.policy.Config()
	got, err := ReadAdapterConfig(from)
	if err != nil {
		return err
	}
	if got.Rank != c.LoRA.Rank || got.Scale() != c.LoRA.Scale() {
		return &engine.Error{Reason: safetensors.Corrupt, Detail: fmt.Sprintf("%s has rank %d and scale %g, the engine %d and %g",
			adapterConfig, got.Rank, got.Scale(), c.LoRA.Rank, c.LoRA.Scale())}
	}
	want := map[string]stretch{}
	for name, s := range weightMap(c.Trained(), flat) {
		want[adapterPrefix+name] = s
	}
	if _, err := readFile(from, adapterWeights, want, nil); err != nil {
		return err
	}
	if missing := left(want); missing != "" {
		return &safetensors.Error{Tensor: missing, Detail: "is missing in " + adapterWeights}
	}
	return nil
}

// ReadAdapterConfig reads the adapter_config.json of a PEFT folder, to build an engine of its shape.
func ReadAdapterConfig(from fs.FS) (*llama.LoRA, error) {
	raw, err := fs.ReadFile(from, adapterConfig)
	if err != nil {
		return nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: "the folder has no " + adapterConfig, Err: err}
	}
	var p peftConfig
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, &engine.Error{Reason: safetensors.Corrupt, Detail: adapterConfig, Err: err}
	}
	bad := func(field string) (*llama.LoRA, error) {
		return nil, &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: adapterConfig + ": " + field}
	}
	switch {
	case !strings.EqualFold(p.Type, "LORA"):
		return bad("peft_type is not LORA")
	case p.DoRA:
		return bad("use_dora is true")
	case p.Fan:
		return bad("fan_in_fan_out is true")
	case p.Bias != "" && p.Bias != "none":
		return bad("bias is not none")
	}
	return &llama.LoRA{Rank: p.Rank, Alpha: p.Alpha, RSLoRA: p.RSLoRA, Targets: p.Targets}, nil
}
