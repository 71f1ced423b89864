package builtin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/provenir/provenir/internal/safetensors"
	"github.com/provenir/provenir/services/trainer/engine"
)

// Load restores weights from a folder that Save wrote, and the optimizer if its file is there; without it the optimizer
// starts afresh. A folder of another shape is refused before anything changes.
func (e *Engine) Load(ctx context.Context, from fs.FS) error {
	w, err := e.readTrained(ctx, from)
	if err != nil {
		return err
	}
	n := len(w)
	m, v, t := make([]float32, n), make([]float32, n), 0
	if _, err := fs.Stat(from, optimizerFile); err == nil {
		if t, err = e.readOptimizer(from, m, v); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for %s: %w", optimizerFile, err)
	}
	copy(e.policy.Trained(), w)
	pm, pv, _ := e.policy.Moments()
	copy(pm, m)
	copy(pv, v)
	e.policy.SetStep(t)
	return nil
}

// Reference replaces the frozen reference by the weights in the folder.
func (e *Engine) Reference(ctx context.Context, from fs.FS) error {
	w, err := e.readTrained(ctx, from)
	if err != nil {
		return err
	}
	e.policy.SetReference(w)
	return nil
}

// readTrained reads the trained weights of a folder into a new vector.
func (e *Engine) readTrained(ctx context.Context, from fs.FS) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := e.policy.Config()
	flat := make([]float32, len(e.policy.Trained()))
	if c.LoRA != nil {
		return flat, e.readAdapter(from, flat)
	}
	return flat, readWeights(from, weightMap(c.Trained(), flat), c.Tied)
}

func (e *Engine) readOptimizer(from fs.FS, m, v []float32) (t int, err error) {
	ps := e.policy.Config().Trained()
	want := map[string]stretch{}
	for prefix, flat := range map[string][]float32{"m.": m, "v.": v} {
		for name, s := range weightMap(ps, flat) {
			want[prefix+name] = s
		}
	}
	meta, err := readFile(from, optimizerFile, want, nil)
	if err != nil {
		return 0, err
	}
	if missing := left(want); missing != "" {
		return 0, &safetensors.Error{Tensor: missing, Detail: "is missing in " + optimizerFile}
	}
	t, err = strconv.Atoi(strings.TrimSpace(meta["adam_step"]))
	if err != nil || t < 0 {
		return 0, &engine.Error{Reason: safetensors.Corrupt, Detail: optimizerFile + " has no adam_step", Err: err}
	}
	return t, nil
}
