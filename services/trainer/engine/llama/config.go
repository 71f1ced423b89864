// Package llama emits the graphs of a Llama-family policy: score, grad, apply, step and decode.
//
// It covers model types llama, mistral (full attention) and qwen2 (biased q, k, v): grouped queries, rotary positions,
// RMS norms before each block, gated SiLU, tied or untied head. It is pure: a configuration goes in, a graph comes out.
// Names and [out, in] layout of the weights are those of Hugging Face checkpoints.
package llama

import (
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Config describes the network.
type Config struct {
	ModelType string // llama, mistral or qwen2
	Vocab     int
	Dim       int
	Layers    int
	Heads     int
	KVHeads   int
	HeadDim   int
	FFN       int
	Context   int     // longest sequence
	Eps       float32 // of the norms
	Tied      bool    // the head is the embedding
	QKVBias   bool    // qwen2
	Rope      Rope
	LoRA      *LoRA // nil: every weight is trained
}

// Check says what does not fit together.
func (c Config) Check() error {
	bad := func(format string, args ...any) error {
		return &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: fmt.Sprintf(format, args...)}
	}
	for _, f := range []struct {
		name string
		v    int
	}{
		{"vocab", c.Vocab}, {"dim", c.Dim}, {"layers", c.Layers}, {"heads", c.Heads}, {"kv_heads", c.KVHeads},
		{"head_dim", c.HeadDim}, {"ffn", c.FFN}, {"context", c.Context},
	} {
		if f.v < 1 || f.v > 1<<24 {
			return bad("%s is %d, want a positive number", f.name, f.v)
		}
	}
	switch {
	case c.Heads%c.KVHeads != 0:
		return bad("%d heads cannot share %d key/value heads evenly", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		return bad("head_dim %d is odd, rotary positions need pairs", c.HeadDim)
	case !(c.Eps > 0 && c.Eps < 1):
		return bad("rms_norm_eps is %g, want between 0 and 1", c.Eps)
	case c.Context < 2:
		return bad("a context of %d token holds no prompt and answer", c.Context)
	}
	if err := c.Rope.check(); err != nil {
		return err
	}
	return c.LoRA.check(c)
}
