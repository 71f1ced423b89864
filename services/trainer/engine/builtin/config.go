// Package builtin is the built-in engine: a Llama-family transformer that samples and trains on ONNX Runtime.
//
// It puts the parts together: the library (internal/onnx), the tokenizer (internal/token), the network and its optimizer
// (package policy), and the Hugging Face folders that it starts from and saves.
package builtin

import (
	"fmt"
	"io/fs"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// Config says what to build. Exactly one of Init and Folder is set.
type Config struct {
	Init    *Init // a fresh model
	Folder  fs.FS // an existing model: a Hugging Face folder
	Seed    uint64
	Context int         // longest sequence; 0: the model's. A shorter one saves memory and time
	LoRA    *llama.LoRA // nil: every weight is trained
	Device  string      // auto, cpu or cuda; empty: auto
	Library string      // path of the ONNX library; empty: see onnx.Find
	Threads int         // 0: 2
	Spin    bool        // idle threads spin: faster alone, bad company
}

// Init describes a fresh model on the byte tokenizer.
type Init struct {
	Dim     int
	Layers  int
	Heads   int
	KVHeads int // 0: Heads
	FFN     int
	Vocab   int     // 0: the tokenizer's 259
	Theta   float64 // 0: 10000
	Context int     // 0: 1024
}

// network is the shape of a fresh model.
func (i Init) network(vocab int) (llama.Config, error) {
	pick := func(v, otherwise int) int {
		if v == 0 {
			return otherwise
		}
		return v
	}
	c := llama.Config{ModelType: "llama", Vocab: pick(i.Vocab, vocab), Dim: i.Dim, Layers: i.Layers, Heads: i.Heads,
		KVHeads: pick(i.KVHeads, i.Heads), FFN: i.FFN, Context: pick(i.Context, 1024), Eps: 1e-5, Tied: true,
		Rope: llama.Rope{Theta: i.Theta}}
	if c.Rope.Theta == 0 {
		c.Rope.Theta = 10000
	}
	if c.Heads < 1 || c.Dim%c.Heads != 0 {
		return c, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: fmt.Sprintf("init.dim %d does not divide by init.heads %d", c.Dim, c.Heads)}
	}
	if c.Vocab < vocab {
		return c, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: fmt.Sprintf("init.vocab is %d, the byte tokenizer has %d ids", c.Vocab, vocab)}
	}
	c.HeadDim = c.Dim / c.Heads
	return c, nil
}
