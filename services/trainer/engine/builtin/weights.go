package builtin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/provenir/provenir/internal/safetensors"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// stretch is where a tensor goes.
type stretch struct {
	shape []int
	data  []float32
	done  *bool
}

func weightMap(ps []llama.Param, flat []float32) map[string]stretch {
	out, at := map[string]stretch{}, 0
	for _, p := range ps {
		out[p.Name] = stretch{p.Shape, flat[at : at+p.Size()], new(bool)}
		at += p.Size()
	}
	return out
}

// left names a tensor that was not filled, the first by name; empty when all were.
func left(want map[string]stretch) string {
	var missing []string
	for name, s := range want {
		if !*s.done {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return slices.Min(missing)
}

// readWeights fills want from model.safetensors, or from the files that its index names. A tied model's file may hold
// the head a second time; it is skipped, as transformers does.
func readWeights(from fs.FS, want map[string]stretch, tied bool) error {
	files, err := weightFiles(from)
	if err != nil {
		return err
	}
	skip := func(name string) bool {
		return (tied && name == "lm_head.weight") || strings.HasSuffix(name, ".rotary_emb.inv_freq")
	}
	for _, f := range files {
		if _, err := readFile(from, f, want, skip); err != nil {
			return err
		}
	}
	if missing := left(want); missing != "" {
		return &safetensors.Error{Tensor: missing, Detail: fmt.Sprintf("is missing in %s", strings.Join(files, ", "))}
	}
	return nil
}

// weightFiles lists the safetensors files of a folder. Pickled weights are refused: reading them runs code.
func weightFiles(from fs.FS) ([]string, error) {
	if _, err := fs.Stat(from, weightsFile); err == nil {
		return []string{weightsFile}, nil
	}
	raw, err := fs.ReadFile(from, indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		for _, pattern := range []string{"*.bin", "*.pt", "*.pth", "*.ckpt"} {
			if found, _ := fs.Glob(from, pattern); len(found) > 0 { // the patterns are well-formed
				return nil, &engine.Error{Reason: "UNSAFE_WEIGHT_FORMAT", Detail: found[0] +
					" is a pickle, and reading one runs code; convert it to safetensors"}
			}
		}
		return nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: "the folder has neither " + weightsFile + " nor " + indexFile}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", indexFile, err)
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil || len(index.Map) == 0 {
		return nil, &engine.Error{Reason: safetensors.Corrupt, Detail: indexFile + " has no weight_map", Err: err}
	}
	var files []string
	for tensor, f := range index.Map {
		if f != path.Base(f) || !fs.ValidPath(f) || !strings.HasSuffix(f, ".safetensors") || strings.Contains(f, `\`) {
			return nil, &engine.Error{Reason: safetensors.Corrupt, Detail: fmt.Sprintf(
				"%s puts %s into %q, want the plain name of a .safetensors file", indexFile, tensor, f)}
		}
		if !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	slices.Sort(files)
	return files, nil
}

// readFile fills what it finds of want. A tensor that nobody wants is an error unless skip says so: a checkpoint of
// another architecture often shares most names.
func readFile(from fs.FS, name string, want map[string]stretch, skip func(string) bool) (meta map[string]string, err error) {
	f, err := from.Open(name)
	if err != nil {
		return nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: name, Err: err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat %s: %w", name, err)
	}
	r, err := safetensors.NewReader(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	for {
		t, err := r.Next()
		if err == io.EOF {
			return r.Metadata(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		s, ok := want[t.Name]
		if !ok {
			if skip != nil && skip(t.Name) {
				continue
			}
			return nil, &safetensors.Error{Tensor: t.Name, Byte: t.Offset, Detail: "belongs to no weight of this configuration (" + name + ")"}
		}
		if !sameShape(t.Shape, s.shape) || *s.done {
			return nil, &safetensors.Error{Tensor: t.Name, Byte: t.Offset, Detail: fmt.Sprintf("%s has shape %v once, want %v once", name, t.Shape, s.shape)}
		}
		if err := r.Float32(s.data); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		*s.done = true
	}
}

func sameShape(a []int64, b []int) bool {
	return slices.EqualFunc(a, b, func(x int64, y int) bool { return x == int64(y) })
}
