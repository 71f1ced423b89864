package builtin

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/internal/onnx/onnxtest"
	"github.com/provenir/provenir/internal/safetensors"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// memory is a Sink that becomes a file system.
type memory struct{ files fstest.MapFS }

type buffer struct {
	bytes.Buffer
	close func([]byte)
}

func (b *buffer) Close() error {
	b.close(b.Bytes())
	return nil
}

func (m memory) Create(name string) (io.WriteCloser, error) {
	return &buffer{close: func(b []byte) { m.files[name] = &fstest.MapFile{Data: bytes.Clone(b)} }}, nil
}

func save(t *testing.T, e engine.Engine, optimizer bool) fstest.MapFS {
	t.Helper()
	m := memory{fstest.MapFS{}}
	if err := e.Save(t.Context(), m, optimizer); err != nil {
		t.Fatal(err)
	}
	return m.files
}

func build(t *testing.T, cfg Config) *Engine {
	t.Helper()
	cfg.Library, cfg.Device, cfg.Threads = onnxtest.Library(t), "cpu", 2
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func fresh(t *testing.T, seed uint64) *Engine {
	init := Init{Dim: 32, Layers: 2, Heads: 4, KVHeads: 2, FFN: 48, Context: 32}
	return build(t, Config{Init: &init, Seed: seed})
}

// train makes steps on one batch of text.
func train(t *testing.T, e engine.Engine, steps int) {
	t.Helper()
	l := &learner{tb: t, e: e}
	for range steps {
		var b engine.Batch
		for _, s := range []string{"one two", "three four five", "six"} {
			ids := l.encode(s)
			b.Rows = append(b.Rows, engine.TrainRow{Tokens: ids, Start: 1, Advantage: 1, Weight: slices.Repeat([]float32{.1}, len(ids)-1)})
		}
		h := objectiveRow(t, "sft").Hyper()
		h.LR, h.WeightDecay = 1e-2, .1
		l.step(b, h)
	}
}

func texts(t *testing.T, e engine.Engine) []engine.Row {
	t.Helper()
	l := &learner{tb: t, e: e}
	rows, err := e.Sample(t.Context(), engine.SampleRequest{MaxTokens: 12, Temperature: 1,
		Prompts: []engine.Prompt{{Tokens: l.encode("on")}, {Tokens: l.encode("thr")}}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A saved folder is a whole model: an engine made of it samples the same and, with the optimizer, goes on the same.
func TestSaveAndGoOn(t *testing.T) {
	a := fresh(t, 3)
	train(t, a, 3)
	saved := save(t, a, true)
	names := slices.Sorted(maps.Keys(saved))
	if want := []string{configFile, generationFile, weightsFile, optimizerFile, tokenizerFile}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	b := build(t, Config{Folder: saved})
	if b.WeightsDigest() != a.WeightsDigest() || b.Tokenizer().Digest() != a.Tokenizer().Digest() {
		t.Fatal("the folder holds other weights or another tokenizer")
	}
	if !slices.Equal(texts(t, a)[1].LogProbs, texts(t, b)[1].LogProbs) {
		t.Error("the copy samples otherwise")
	}
	if err := b.Load(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	again := save(t, b, true)
	for _, name := range names {
		if !bytes.Equal(saved[name].Data, again[name].Data) {
			t.Errorf("%s changed by loading and saving", name)
		}
	}
	train(t, a, 2)
	train(t, b, 2)
	if a.WeightsDigest() != b.WeightsDigest() {
		t.Error("the copy trains on otherwise")
	}
	delete(saved, optimizerFile) // then the optimizer starts afresh
	if err := b.Load(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	train(t, b, 2)
	if a.WeightsDigest() == b.WeightsDigest() {
		t.Error("without its file the optimizer went on as before")
	}
}

func TestReference(t *testing.T) {
	e := fresh(t, 3)
	seq := engine.ScoreRequest{Sequences: []engine.Sequence{{Tokens: []int32{1, 2, 3, 4}, Start: 1}}, Reference: true}
	score := func() []float32 {
		t.Helper()
		s, err := e.Score(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		return s[0].LogProbs
	}
	if err := e.BeginStage(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := score()
	train(t, e, 3)
	if !slices.Equal(score(), before) {
		t.Error("the reference moved with the policy")
	}
	saved := save(t, e, false)
	if err := e.Reference(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(score(), before) {
		t.Error("the reference was not replaced")
	}
	seq.Reference = false
	policy := score()
	seq.Reference = true
	if !slices.Equal(score(), policy) {
		t.Error("the reference is not the saved policy")
	}
}

// sharded cuts a saved model into two files with an index, the head repeated as some tied checkpoints have it.
func sharded(t *testing.T, saved fstest.MapFS) fstest.MapFS {
	t.Helper()
	raw := saved[weightsFile].Data
	r, err := safetensors.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var parts [2][]safetensors.Weight
	var index []string
	for i := 0; ; i++ {
		x, err := r.Next()
		if err == io.EOF {
			break
		}
		w := safetensors.Weight{Name: x.Name, Data: make([]float32, x.Elements())}
		for _, d := range x.Shape {
			w.Shape = append(w.Shape, int(d))
		}
		if err := errors.Join(err, r.Float32(w.Data)); err != nil {
			t.Fatal(err)
		}
		parts[i%2] = append(parts[i%2], w)
		index = append(index, `"`+x.Name+`":"part-`+string(rune('1'+i%2))+`.safetensors"`)
		if x.Name == "model.embed_tokens.weight" {
			w.Name = "lm_head.weight"
			parts[i%2] = append(parts[i%2], w)
		}
	}
	out := maps.Clone(saved)
	delete(out, weightsFile)
	for i, p := range parts {
		var b bytes.Buffer
		if err := safetensors.Write(&b, p, nil); err != nil {
			t.Fatal(err)
		}
		out["part-"+string(rune('1'+i))+".safetensors"] = &fstest.MapFile{Data: b.Bytes()}
	}
	out[indexFile] = &fstest.MapFile{Data: []byte(`{"weight_map":{` + strings.Join(index, ",") + `}}`)}
	return out
}

func TestSharded(t *testing.T) {
	a := fresh(t, 4)
	b := build(t, Config{Folder: sharded(t, save(t, a, false))})
	if a.WeightsDigest() != b.WeightsDigest() {
		t.Error("the parts hold other weights")
	}
}

func TestFolderRefuses(t *testing.T) {
	saved := save(t, fresh(t, 5), false)
	index := func(s string) func(f fstest.MapFS) {
		return func(f fstest.MapFS) {
			delete(f, weightsFile)
			f[indexFile] = &fstest.MapFile{Data: []byte(s)}
		}
	}
	config := func(old, new string) func(f fstest.MapFS) {
		return func(f fstest.MapFS) {
			f[configFile] = &fstest.MapFile{Data: bytes.Replace(f[configFile].Data, []byte(old), []byte(new), 1)}
		}
	}
	for _, c := range []struct {
		name   string
		spoil  func(f fstest.MapFS)
		reason string
	}{
		{"no config", func(f fstest.MapFS) { delete(f, configFile) }, "CHECKPOINT_NOT_FOUND"},
		{"no tokenizer", func(f fstest.MapFS) { delete(f, tokenizerFile) }, "TOKENIZER_UNSUPPORTED"},
		{"no weights", func(f fstest.MapFS) { delete(f, weightsFile) }, "CHECKPOINT_NOT_FOUND"},
		{"pickle", func(f fstest.MapFS) { delete(f, weightsFile); f["pytorch_model.bin"] = &fstest.MapFile{} }, "UNSAFE_WEIGHT_FORMAT"},
		{"cut weights", func(f fstest.MapFS) { f[weightsFile] = &fstest.MapFile{Data: f[weightsFile].Data[:900]} }, "CHECKPOINT_CORRUPT"},
		{"index without a map", index(`{}`), "CHECKPOINT_CORRUPT"},
		{"index leads out", index(`{"weight_map":{"a":"../x.safetensors"}}`), "CHECKPOINT_CORRUPT"},
		{"absolute index", index(`{"weight_map":{"a":"/etc/x.safetensors"}}`), "CHECKPOINT_CORRUPT"},
		{"index of a pickle", index(`{"weight_map":{"a":"x.bin"}}`), "CHECKPOINT_CORRUPT"},
		{"index of a missing file", index(`{"weight_map":{"a":"x.safetensors"}}`), "CHECKPOINT_NOT_FOUND"},
		{"more layers", config(`"num_hidden_layers": 2`, `"num_hidden_layers": 3`), "CHECKPOINT_CORRUPT"},
		{"fewer layers", config(`"num_hidden_layers": 2`, `"num_hidden_layers": 1`), "CHECKPOINT_CORRUPT"},
		{"other width", config(`"intermediate_size": 48`, `"intermediate_size": 49`), "CHECKPOINT_CORRUPT"},
		{"small vocabulary", config(`"vocab_size": 259`, `"vocab_size": 100`), "TOKENIZER_MISMATCH"},
		{"other model", config(`"model_type": "llama"`, `"model_type": "gemma"`), "ARCHITECTURE_UNSUPPORTED"},
		{"no JSON", config(`{`, ``), "ARCHITECTURE_UNSUPPORTED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := maps.Clone(saved)
			c.spoil(f)
			_, err := New(Config{Folder: f, Library: onnxtest.Library(t), Device: "cpu"})
			if got := engine.ReasonOf(err); got != c.reason {
				t.Errorf("reason %q (%v), want %s", got, err, c.reason)
			}
		})
	}
}

// A load that fails changes nothing.
func TestLoadIsAllOrNothing(t *testing.T) {
	e := fresh(t, 6)
	train(t, e, 2)
	before := e.WeightsDigest()
	saved := save(t, e, true)
	for name, spoil := range map[string]func(f fstest.MapFS){
		"weights":   func(f fstest.MapFS) { f[weightsFile] = &fstest.MapFile{Data: f[weightsFile].Data[:2000]} },
		"optimizer": func(f fstest.MapFS) { f[optimizerFile] = &fstest.MapFile{Data: f[optimizerFile].Data[:2000]} },
		"no step": func(f fstest.MapFS) {
			f[optimizerFile] = &fstest.MapFile{Data: bytes.Replace(f[optimizerFile].Data, []byte("adam_step"), []byte("adam_stop"), 1)}
		},
	} {
		f := maps.Clone(saved)
		spoil(f)
		if err := e.Load(t.Context(), f); engine.ReasonOf(err) != safetensors.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
		if e.WeightsDigest() != before {
			t.Fatalf("%s: the weights changed", name)
		}
	}
}

// An adapter goes out as a PEFT folder and comes back; at first, and with scale 0, it is the base bit for bit.
func TestAdapter(t *testing.T) {
	base := fresh(t, 7)
	saved := save(t, base, false)
	lora := &llama.LoRA{Rank: 4, Alpha: 8, Targets: []string{"q_proj", "v_proj", "down_proj"}}
	e := build(t, Config{Folder: saved, LoRA: lora, Seed: 1})
	if want := int64(2 * (4*(32+32) + 4*(32+16) + 4*(48+32))); e.Info().Parameters != want {
		t.Errorf("%d trained parameters, want %d", e.Info().Parameters, want)
	}
	if !slices.Equal(texts(t, base)[0].LogProbs, texts(t, e)[0].LogProbs) {
		t.Error("a fresh adapter changes the base")
	}
	train(t, e, 3)
	if slices.Equal(texts(t, base)[0].LogProbs, texts(t, e)[0].LogProbs) {
		t.Error("training did not change the policy")
	}
	folder := save(t, e, true)
	if _, ok := folder[weightsFile]; ok {
		t.Error("the frozen base was saved with the adapter")
	}
	if !bytes.Contains(folder[adapterWeights].Data, []byte(`"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"`)) {
		t.Error("the names are not PEFT's")
	}
	got, err := ReadAdapterConfig(folder)
	if err != nil || got.Rank != 4 || got.Scale() != 2 || !slices.Equal(got.Targets, lora.Targets) {
		t.Fatalf("configuration %+v, %v", got, err)
	}
	back := build(t, Config{Folder: saved, LoRA: got, Seed: 2})
	if err := back.Load(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(texts(t, back)[0].LogProbs, texts(t, e)[0].LogProbs) {
		t.Error("the adapter came back otherwise")
	}
	other := build(t, Config{Folder: saved, LoRA: &llama.LoRA{Rank: 2, Alpha: 8}})
	if err := other.Load(t.Context(), folder); engine.ReasonOf(err) != safetensors.Corrupt {
		t.Errorf("an adapter of another rank: %v", err)
	}
	var missing fs.FS = fstest.MapFS{}
	if err := other.Load(t.Context(), missing); engine.ReasonOf(err) != "CHECKPOINT_NOT_FOUND" {
		t.Errorf("no adapter: %v", err)
	}
}
