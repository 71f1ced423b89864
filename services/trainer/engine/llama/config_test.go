package llama

import (
	"math"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
)

func small() Config {
	return Config{ModelType: "llama", Vocab: 40, Dim: 64, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, FFN: 128, Context: 64,
		Eps: 1e-5, Rope: Rope{Theta: 10000}}
}

func TestCheck(t *testing.T) {
	if err := small().Check(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(c *Config)
		reason string
	}{
		"no vocabulary":   {func(c *Config) { c.Vocab = 0 }, "ARCHITECTURE_UNSUPPORTED"},
		"absurd width":    {func(c *Config) { c.Dim = 1 << 30 }, "ARCHITECTURE_UNSUPPORTED"},
		"uneven heads":    {func(c *Config) { c.KVHeads = 3 }, "ARCHITECTURE_UNSUPPORTED"},
		"odd head":        {func(c *Config) { c.HeadDim = 7 }, "ARCHITECTURE_UNSUPPORTED"},
		"no epsilon":      {func(c *Config) { c.Eps = 0 }, "ARCHITECTURE_UNSUPPORTED"},
		"one token":       {func(c *Config) { c.Context = 1 }, "ARCHITECTURE_UNSUPPORTED"},
		"theta of 1":      {func(c *Config) { c.Rope.Theta = 1 }, "ARCHITECTURE_UNSUPPORTED"},
		"theta NaN":       {func(c *Config) { c.Rope.Theta = math.NaN() }, "ARCHITECTURE_UNSUPPORTED"},
		"yarn":            {func(c *Config) { c.Rope.Type = "yarn" }, "ARCHITECTURE_UNSUPPORTED"},
		"linear factor":   {func(c *Config) { c.Rope = Rope{Theta: 1e4, Type: "linear", Factor: .5} }, "ARCHITECTURE_UNSUPPORTED"},
		"adapter alpha":   {func(c *Config) { c.LoRA = &LoRA{Rank: 2, Alpha: math.NaN()} }, "OPTION_UNSUPPORTED"},
		"adapter rank":    {func(c *Config) { c.LoRA = &LoRA{Rank: 33, Alpha: 1} }, "OPTION_UNSUPPORTED"}, // k_proj is 32 by 64
		"adapter nowhere": {func(c *Config) { c.LoRA = &LoRA{Rank: 2, Alpha: 1, Targets: []string{"query"}} }, "OPTION_UNSUPPORTED"},
	} {
		x := small()
		c.change(&x)
		if got := engine.ReasonOf(x.Check()); got != c.reason {
			t.Errorf("%s: %v, want %s", name, x.Check(), c.reason)
		}
	}
}

// The counts are those of the published sizes: a wrong shape or a missing weight shows.
func TestCount(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Config
		want int
	}{
		{"demo", Config{Vocab: 259, Dim: 64, Layers: 4, Heads: 2, KVHeads: 2, HeadDim: 32, FFN: 192, Tied: true}, 230144},
		{"SmolLM2-135M", Config{Vocab: 49152, Dim: 576, Layers: 30, Heads: 9, KVHeads: 3, HeadDim: 64, FFN: 1536, Tied: true}, 134515008},
		{"Llama-3.2-1B", Config{Vocab: 128256, Dim: 2048, Layers: 16, Heads: 32, KVHeads: 8, HeadDim: 64, FFN: 8192, Tied: true}, 1235814400},
		{"Qwen2.5-0.5B", Config{Vocab: 151936, Dim: 896, Layers: 24, Heads: 14, KVHeads: 2, HeadDim: 64, FFN: 4864, Tied: true, QKVBias: true}, 494032768},
		{"Mistral-7B-v0.1", Config{Vocab: 32000, Dim: 4096, Layers: 32, Heads: 32, KVHeads: 8, HeadDim: 128, FFN: 14336}, 7241732096},
	} {
		if got := Count(c.c.Base()); got != c.want {
			t.Errorf("%s has %d parameters, want %d", c.name, got, c.want)
		}
	}
}

// Weights with decay come first, so that one boundary is enough for the optimizer.
func TestDecayedFirst(t *testing.T) {
	c := small()
	c.QKVBias = true
	after := false
	for _, p := range c.Trained() {
		if p.Decay && after {
			t.Errorf("%s has decay and stands behind one that has none", p.Name)
		}
		after = after || !p.Decay
	}
	if c.Decayed() >= Count(c.Trained()) {
		t.Error("norms and biases decay")
	}
}

func TestLoRA(t *testing.T) {
	l := LoRA{Rank: 16, Alpha: 32}
	if l.Scale() != 2 {
		t.Errorf("scale %g, want 32/16", l.Scale())
	}
	if l.RSLoRA = true; l.Scale() != 8 {
		t.Errorf("rank-stabilised scale %g, want 32/√16", l.Scale())
	}
	c := small()
	c.LoRA = &LoRA{Rank: 2, Alpha: 4, Targets: []string{"q_proj"}}
	ps := c.Trained()
	if len(ps) != 4 || ps[0].Name != "model.layers.0.self_attn.q_proj.lora_A.weight" || ps[1].Shape[1] != 2 || len(c.Frozen()) == 0 {
		t.Errorf("trained %v", ps)
	}
}

// Frequencies of Llama 3.1's rule, at its published settings: short waves stay, long ones are stretched by 8.
func TestRope(t *testing.T) {
	r := Rope{Theta: 5e5, Type: "llama3", Factor: 8, LowFreq: 1, HighFreq: 4, OriginalContext: 8192}
	plain := Rope{Theta: 5e5}
	const hd = 128
	if got, want := r.frequency(0, hd), 1.0; got != want {
		t.Errorf("the shortest wave: %g, want %g", got, want)
	}
	if got, want := r.frequency(63, hd), plain.frequency(63, hd)/8; got != want {
		t.Errorf("the longest wave: %g, want %g", got, want)
	}
	last := math.Inf(1)
	for i := range hd / 2 {
		f := r.frequency(i, hd)
		if f >= last || f > plain.frequency(i, hd)*(1+1e-12) || f < plain.frequency(i, hd)/8*(1-1e-12) {
			t.Errorf("pair %d: %g between %g and its eighth, below %g", i, f, plain.frequency(i, hd), last)
		}
		last = f
	}
	cos, sin := Rope{Theta: 100, Type: "linear", Factor: 2}.tables(3, 4)
	if cos[0] != 1 || sin[0] != 0 || math.Abs(float64(sin[2*2])-math.Sin(1)) > 1e-7 { // position 2 at half speed
		t.Errorf("cos %v, sin %v", cos, sin)
	}
}

func TestMemory(t *testing.T) {
	c := small()
	if a, b := c.Memory(8, 32), c.Memory(16, 32); a >= b {
		t.Errorf("more rows take less: %d, %d", a, b)
	}
	full := c.Memory(8, 32)
	c.LoRA = &LoRA{Rank: 2, Alpha: 4}
	if c.Memory(8, 32) >= full {
		t.Error("adapters take more than full training")
	}
}
