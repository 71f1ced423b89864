package builtin

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// python is an interpreter that has the modules, or the test is skipped: nothing here is needed to train.
func python(t *testing.T, modules string) string {
	t.Helper()
	p := os.Getenv("PROVENIR_PYTHON")
	if p == "" {
		p = "python3"
	}
	if err := exec.CommandContext(t.Context(), p, "-c", "import "+modules).Run(); err != nil {
		t.Skipf("needs Python with %s: set PROVENIR_PYTHON to one", modules)
	}
	return p
}

func onDisk(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fs.FS(files)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judged compares ids and log probs of a text with what transformers makes of the folder.
func judged(t *testing.T, py string, e engine.Engine, folders ...string) {
	t.Helper()
	const text = "Q: 27+48=?\nA: déjà vu"
	args := append([]string{"testdata/read_folder.py", folders[0], text}, folders[1:]...)
	cmd := exec.CommandContext(t.Context(), py, args...)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		IDs  []int32   `json:"ids"`
		LogP []float64 `json:"logp"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	ids, err := e.Tokenizer().Encode([]byte(text))
	if err != nil || !slices.Equal(ids, got.IDs) {
		t.Fatalf("ids %v, %v; transformers gives %v", ids, err, got.IDs)
	}
	s, err := e.Score(t.Context(), engine.ScoreRequest{Sequences: []engine.Sequence{{Tokens: ids, Start: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i, lp := range s[0].LogProbs {
		worst = max(worst, math.Abs(float64(lp)-got.LogP[i]))
	}
	t.Logf("largest difference %.1e", worst)
	if !(worst < 1e-4) {
		t.Errorf("log probs differ by %.1e", worst)
	}
}

// transformers loads our folders and computes the same.
func TestTransformersReadsOurFolder(t *testing.T) {
	py := python(t, "torch, transformers")
	e := fresh(t, 8)
	train(t, e, 5)
	saved := save(t, e, false)
	t.Run("llama", func(t *testing.T) { judged(t, py, e, onDisk(t, saved)) })
	for name, edit := range map[string]string{
		"linear": `"rope_scaling": {"rope_type": "linear", "factor": 4}`,
		"llama3": `"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 16}`,
	} {
		t.Run(name, func(t *testing.T) {
			var config map[string]json.RawMessage
			if err := json.Unmarshal(saved[configFile].Data, &config); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte("{"+edit+"}"), &config); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			other := fstest.MapFS{configFile: &fstest.MapFile{Data: raw}, tokenizerFile: saved[tokenizerFile], weightsFile: saved[weightsFile]}
			judged(t, py, build(t, Config{Folder: other}), onDisk(t, other))
		})
	}
}

// A model that transformers made is read by us: untied, biased, in bfloat16 and in shards.
func TestWeReadTransformersFolder(t *testing.T) {
	py := python(t, "torch, transformers")
	saved := save(t, fresh(t, 9), false)
	for _, family := range []string{"Llama", "Mistral", "Qwen2"} {
		t.Run(family, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), py, "testdata/write_folder.py", family, dir)
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, tokenizerFile), saved[tokenizerFile].Data, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, indexFile)); err != nil {
				t.Errorf("the folder is not sharded: %v", err)
			}
			judged(t, py, build(t, Config{Folder: os.DirFS(dir)}), dir)
		})
	}
}

// PEFT loads our adapters on the base and computes the same.
func TestPEFTReadsOurAdapter(t *testing.T) {
	py := python(t, "torch, transformers, peft")
	saved := save(t, fresh(t, 10), false)
	e := build(t, Config{Folder: saved, LoRA: &llama.LoRA{Rank: 3, Alpha: 6, RSLoRA: true}})
	train(t, e, 4)
	judged(t, py, e, onDisk(t, saved), onDisk(t, save(t, e, false)))
}
