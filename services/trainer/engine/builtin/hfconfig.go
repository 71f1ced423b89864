package builtin

import (
	"encoding/json"
	"fmt"

	"github.com/provenir/provenir/internal/token"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// hfConfig are the fields of a config.json that decide the numbers. Fields that only label are not read.
type hfConfig struct {
	Architectures []string  `json:"architectures,omitempty"`
	ModelType     string    `json:"model_type"`
	HiddenAct     string    `json:"hidden_act,omitempty"`
	Vocab         int       `json:"vocab_size"`
	Dim           int       `json:"hidden_size"`
	Layers        int       `json:"num_hidden_layers"`
	Heads         int       `json:"num_attention_heads"`
	KVHeads       *int      `json:"num_key_value_heads,omitempty"`
	HeadDim       *int      `json:"head_dim,omitempty"`
	FFN           int       `json:"intermediate_size"`
	Context       int       `json:"max_position_embeddings"`
	Eps           float64   `json:"rms_norm_eps"`
	Tied          *bool     `json:"tie_word_embeddings,omitempty"`
	Theta         *float64  `json:"rope_theta,omitempty"`
	Rope          *hfRope   `json:"rope_scaling,omitempty"`
	RopeNew       *hfRope   `json:"rope_parameters,omitempty"` // transformers 5
	Window        *int      `json:"sliding_window,omitempty"`
	UseWindow     *bool     `json:"use_sliding_window,omitempty"`
	Bias          bool      `json:"attention_bias,omitempty"`
	MLPBias       bool      `json:"mlp_bias,omitempty"`
	Quantization  any       `json:"quantization_config,omitempty"`
	DType         string    `json:"torch_dtype,omitempty"`
	BOS           *int32    `json:"bos_token_id,omitempty"`
	EOS           oneOrMany `json:"eos_token_id,omitempty"`
}

type hfRope struct {
	Type    string  `json:"rope_type,omitempty"`
	OldType string  `json:"type,omitempty"`
	Factor  float64 `json:"factor,omitempty"`
	Low     float64 `json:"low_freq_factor,omitempty"`
	High    float64 `json:"high_freq_factor,omitempty"`
	Context float64 `json:"original_max_position_embeddings,omitempty"`
	Theta   float64 `json:"rope_theta,omitempty"`
}

// oneOrMany is an id, or a list whose first id counts: configurations have either.
type oneOrMany []int32

func (o *oneOrMany) UnmarshalJSON(raw []byte) error {
	var id *int32
	if json.Unmarshal(raw, &id) == nil {
		if id != nil {
			*o = oneOrMany{*id}
		}
		return nil
	}
	return json.Unmarshal(raw, (*[]int32)(o))
}

func (o oneOrMany) MarshalJSON() ([]byte, error) {
	if len(o) == 1 {
		return json.Marshal(o[0])
	}
	return json.Marshal([]int32(o))
}

// specials are the ids that tokenizer.json leaves open.
func specials(raw []byte) (token.Special, error) {
	var h hfConfig
	if err := json.Unmarshal(raw, &h); err != nil {
		return token.Special{}, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: "config.json", Err: err}
	}
	s := token.Special{BOS: h.BOS}
	if len(h.EOS) > 0 {
		s.EOS = &h.EOS[0]
	}
	return s, nil
}

// parseConfig reads a config.json. What would change the numbers and is not built in is refused by its field.
func parseConfig(raw []byte) (llama.Config, error) {
	var h hfConfig
	if err := json.Unmarshal(raw, &h); err != nil {
		return llama.Config{}, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: "config.json", Err: err}
	}
	bad := func(format string, args ...any) (llama.Config, error) {
		return llama.Config{}, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: "config.json: " + fmt.Sprintf(format, args...)}
	}
	c := llama.Config{ModelType: h.ModelType, Vocab: h.Vocab, Dim: h.Dim, Layers: h.Layers, Heads: h.Heads, KVHeads: h.Heads,
		FFN: h.FFN, Context: h.Context, Eps: float32(h.Eps), Rope: llama.Rope{Theta: 10000}}
	switch h.ModelType {
	case "llama":
	case "mistral":
		if h.Window != nil && *h.Window < h.Context { // the window is attention's reach: longer texts would need it
			c.Context = *h.Window
		}
	case "qwen2":
		if c.QKVBias = true; h.UseWindow != nil && *h.UseWindow {
			return bad("use_sliding_window is true; full attention is built in")
		}
	default:
		return bad("model_type is %q; llama, mistral and qwen2 are built in", h.ModelType)
	}
	switch {
	case h.HiddenAct != "" && h.HiddenAct != "silu":
		return bad("hidden_act is %q; silu is built in", h.HiddenAct)
	case h.Bias || h.MLPBias:
		return bad("attention_bias or mlp_bias is true; only qwen2's q, k, v bias is built in")
	case h.Quantization != nil:
		return bad("quantization_config is set; quantised weights are not built in, use backend: unsloth or trl")
	case h.Heads < 1:
		return bad("num_attention_heads is %d", h.Heads)
	}
	if h.KVHeads != nil {
		c.KVHeads = *h.KVHeads
	}
	if c.HeadDim = h.Dim / h.Heads; h.HeadDim != nil {
		c.HeadDim = *h.HeadDim
	}
	c.Tied = h.Tied != nil && *h.Tied // the default of all three model types is untied
	if h.Theta != nil {
		c.Rope.Theta = *h.Theta
	}
	for _, r := range []*hfRope{h.Rope, h.RopeNew} {
		if r == nil {
			continue
		}
		if c.Rope.Type = r.Type; r.Type == "" {
			c.Rope.Type = r.OldType
		}
		c.Rope.Factor, c.Rope.LowFreq, c.Rope.HighFreq, c.Rope.OriginalContext = r.Factor, r.Low, r.High, r.Context
		if r.Theta != 0 {
			c.Rope.Theta = r.Theta
		}
	}
	return c, c.Check()
}

// configJSON is the config.json of a network that we save.
func configJSON(c llama.Config, tok token.Tokenizer) ([]byte, error) {
	arch := map[string]string{"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM"}
	h := hfConfig{Architectures: []string{arch[c.ModelType]}, ModelType: c.ModelType, HiddenAct: "silu", Vocab: c.Vocab, Dim: c.Dim,
		Layers: c.Layers, Heads: c.Heads, KVHeads: &c.KVHeads, HeadDim: &c.HeadDim, FFN: c.FFN, Context: c.Context,
		Eps: float64(c.Eps), Tied: &c.Tied, Theta: &c.Rope.Theta, DType: "float32"}
	if c.Rope.Type != "" && c.Rope.Type != "default" {
		h.Rope = &hfRope{Type: c.Rope.Type, Factor: c.Rope.Factor, Low: c.Rope.LowFreq, High: c.Rope.HighFreq, Context: c.Rope.OriginalContext}
	}
	if id, ok := tok.BOS(); ok {
		h.BOS = &id
	}
	if id, ok := tok.EOS(); ok {
		h.EOS = oneOrMany{id}
	}
	raw, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return append(raw, '\n'), nil
}
