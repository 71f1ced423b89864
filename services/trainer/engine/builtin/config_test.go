package builtin

import (
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/onnx/onnxtest"
	"github.com/provenir/provenir/internal/token"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

const plainConfig = `{"model_type":"llama","vocab_size":300,"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,
"intermediate_size":128,"max_position_embeddings":512,"rms_norm_eps":1e-5`

func TestParseConfig(t *testing.T) {
	for _, c := range []struct {
		name, more string
		check      func(c llama.Config) bool
	}{
		{"defaults", ``, func(c llama.Config) bool {
			return c.KVHeads == 4 && c.HeadDim == 16 && !c.Tied && c.Rope.Theta == 10000 && c.Context == 512
		}},
		{"grouped, tied, head_dim", `,"num_key_value_heads":2,"tie_word_embeddings":true,"head_dim":32`, func(c llama.Config) bool {
			return c.KVHeads == 2 && c.Tied && c.HeadDim == 32
		}},
		{"linear rope", `,"rope_theta":5e5,"rope_scaling":{"type":"linear","factor":4}`, func(c llama.Config) bool {
			return c.Rope == llama.Rope{Theta: 5e5, Type: "linear", Factor: 4}
		}},
		{"llama3 rope", `,"rope_theta":5e5,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8192}`,
			func(c llama.Config) bool {
				return c.Rope == llama.Rope{Theta: 5e5, Type: "llama3", Factor: 8, LowFreq: 1, HighFreq: 4, OriginalContext: 8192}
			}},
		{"rope of newer files", `,"rope_parameters":{"rope_type":"default","rope_theta":1e6}`, func(c llama.Config) bool {
			return c.Rope.Theta == 1e6
		}},
		{"list of ends", `,"eos_token_id":[7,8],"bos_token_id":null`, func(llama.Config) bool { return true }},
	} {
		got, err := parseConfig([]byte(plainConfig + c.more + "}"))
		if err != nil || !c.check(got) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	mistral := strings.Replace(plainConfig, "llama", "mistral", 1)
	if c, err := parseConfig([]byte(mistral + `,"sliding_window":128}`)); err != nil || c.Context != 128 {
		t.Errorf("a window bounds the context: %d, %v", c.Context, err)
	}
	qwen := strings.Replace(plainConfig, "llama", "qwen2", 1)
	if c, err := parseConfig([]byte(qwen + `,"sliding_window":128,"use_sliding_window":false}`)); err != nil || c.Context != 512 || !c.QKVBias {
		t.Errorf("qwen2: %+v, %v", c, err)
	}
	ids, err := specials([]byte(plainConfig + `,"eos_token_id":[7,8],"bos_token_id":null}`))
	if err != nil || *ids.EOS != 7 || ids.BOS != nil {
		t.Errorf("specials %+v, %v", ids, err)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, more := range []string{
		`,"hidden_act":"gelu"`, `,"attention_bias":true`, `,"mlp_bias":true`, `,"quantization_config":{"bits":4}`,
		`,"rope_scaling":{"type":"yarn","factor":4}`, `,"rope_scaling":{"type":"linear"}`, `,"rope_scaling":{"type":"llama3","factor":8}`,
		`,"num_key_value_heads":3`, `,"num_key_value_heads":0`, `,"head_dim":15`, `,"rope_theta":0`, `,"rms_norm_eps":0`,
		`,"vocab_size":0`, `,"num_hidden_layers":-1`, `,"num_attention_heads":0`, `,"max_position_embeddings":1`, `,"vocab_size":"many"`,
		`,"hidden_size":99999999999`,
	} {
		if _, err := parseConfig([]byte(plainConfig + more + "}")); engine.ReasonOf(err) != "ARCHITECTURE_UNSUPPORTED" {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// What we write is read back as the same network.
func TestConfigRoundTrip(t *testing.T) {
	for _, more := range []string{``, `,"tie_word_embeddings":true`, `,"rope_scaling":{"type":"linear","factor":4}`,
		`,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8192}`} {
		want, err := parseConfig([]byte(plainConfig + more + "}"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := configJSON(want, token.NewBytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseConfig(raw); err != nil || got != want {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	lib := onnxtest.Library(t)
	init := func(change func(i *Init)) *Init {
		i := Demo()
		change(&i)
		return &i
	}
	for name, c := range map[string]struct {
		cfg    Config
		reason string
	}{
		"odd heads":        {Config{Init: init(func(i *Init) { i.Heads = 3 })}, "ARCHITECTURE_UNSUPPORTED"},
		"no layers":        {Config{Init: init(func(i *Init) { i.Layers = 0 })}, "ARCHITECTURE_UNSUPPORTED"},
		"small vocabulary": {Config{Init: init(func(i *Init) { i.Vocab = 10 })}, "ARCHITECTURE_UNSUPPORTED"},
		"uneven key heads": {Config{Init: init(func(i *Init) { i.Heads, i.KVHeads = 4, 3 })}, "ARCHITECTURE_UNSUPPORTED"},
		"long context":     {Config{Init: init(func(*Init) {}), Context: 45}, "ARCHITECTURE_UNSUPPORTED"},
		"unknown device":   {Config{Init: init(func(*Init) {}), Device: "tpu"}, "OPTION_UNSUPPORTED"},
		"unknown module":   {Config{Init: init(func(*Init) {}), LoRA: &llama.LoRA{Rank: 2, Alpha: 4, Targets: []string{"lm_head"}}}, "OPTION_UNSUPPORTED"},
		"rank of 0":        {Config{Init: init(func(*Init) {}), LoRA: &llama.LoRA{Alpha: 4}}, "OPTION_UNSUPPORTED"},
		"rank above width": {Config{Init: init(func(*Init) {}), LoRA: &llama.LoRA{Rank: 65, Alpha: 4}}, "OPTION_UNSUPPORTED"},
		"alpha of 0":       {Config{Init: init(func(*Init) {}), LoRA: &llama.LoRA{Rank: 4}}, "OPTION_UNSUPPORTED"},
	} {
		c.cfg.Library = lib
		if _, err := New(c.cfg); engine.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
	}
	if _, err := New(Config{Library: lib}); err == nil {
		t.Error("an engine of nothing was built")
	}
}

// Device cuda fails with its reason where there is none; auto runs on the CPU and says why.
func TestDevice(t *testing.T) {
	init := Demo()
	e, err := New(Config{Init: &init, Library: onnxtest.Library(t), Device: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Info().Device == "cuda" {
		t.Skip("this machine has CUDA")
	}
	if !strings.Contains(e.Info().DeviceNote, "CUDA") || !e.Info().Repeatable {
		t.Errorf("info %+v", e.Info())
	}
	if _, err := New(Config{Init: &init, Library: onnxtest.Library(t), Device: "cuda"}); engine.ReasonOf(err) != onnx.CUDAUnavailable {
		t.Errorf("cuda: %v", err)
	}
}
