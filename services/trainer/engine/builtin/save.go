package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/provenir/provenir/internal/safetensors"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// Files of a folder.
const (
	configFile     = "config.json"
	weightsFile    = "model.safetensors"
	indexFile      = "model.safetensors.index.json"
	tokenizerFile  = "tokenizer.json"
	generationFile = "generation_config.json"
	optimizerFile  = "optimizer.safetensors"
)

// Save writes a folder that transformers loads, and the optimizer's state if asked for. Under adapters the folder is
// PEFT's: adapter_model.safetensors and adapter_config.json beside the tokenizer, without the frozen base.
func (e *Engine) Save(ctx context.Context, to engine.Sink, optimizer bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := e.policy.Config()
	generation, err := e.generation()
	if err != nil {
		return err
	}
	write := func(name string, f func(io.Writer) error) error { return create(to, name, f) }
	whole := func(name string, b []byte) error {
		return write(name, func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		})
	}
	err = errors.Join(whole(configFile, e.info.ConfigJSON), whole(tokenizerFile, e.tokenizer.JSON()), whole(generationFile, generation))
	if err != nil {
		return err
	}
	if c.LoRA == nil {
		err = write(weightsFile, func(w io.Writer) error {
			return safetensors.Write(w, stretches(c.Trained(), e.policy.Trained(), ""), map[string]string{"format": "pt"})
		})
	} else {
		err = e.saveAdapter(write, whole)
	}
	if err != nil || !optimizer {
		return err
	}
	m, v, t := e.policy.Moments()
	return write(optimizerFile, func(w io.Writer) error {
		return safetensors.Write(w, append(stretches(c.Trained(), m, "m."), stretches(c.Trained(), v, "v.")...),
			map[string]string{"format": "pt", "adam_step": strconv.Itoa(t)})
	})
}

// stretches names the parts of a flat vector.
func stretches(ps []llama.Param, flat []float32, prefix string) (out []safetensors.Weight) {
	at := 0
	for _, p := range ps {
		out = append(out, safetensors.Weight{Name: prefix + p.Name, Shape: p.Shape, Data: flat[at : at+p.Size()]})
		at += p.Size()
	}
	return out
}

func create(to engine.Sink, name string, f func(io.Writer) error) error {
	w, err := to.Create(name)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	if err := f(w); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), w.Close())
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("close %s: %w", name, err)
	}
	return nil
}

func (e *Engine) generation() ([]byte, error) {
	g := map[string]any{"do_sample": true, "temperature": 1.0}
	if id, ok := e.tokenizer.BOS(); ok {
		g["bos_token_id"] = id
	}
	if id, ok := e.tokenizer.EOS(); ok {
		g["eos_token_id"] = id
	}
	raw, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", generationFile, err)
	}
	return append(raw, '\n'), nil
}
