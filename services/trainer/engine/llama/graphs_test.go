package llama

import (
	"bytes"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// The graphs' node counts: a change here is a change of every measured time, to be made on purpose.
func TestNodeCounts(t *testing.T) {
	demo := Config{ModelType: "llama", Vocab: 259, Dim: 64, Layers: 4, Heads: 2, KVHeads: 2, HeadDim: 32, FFN: 192, Context: 44,
		Eps: 1e-5, Tied: true, Rope: Rope{Theta: 10000}}
	for _, c := range []struct {
		name  string
		build func() (*tg.Graph, error)
		want  int
	}{
		{"score", func() (*tg.Graph, error) { return Score(demo, 64, 44, false) }, 171},
		{"decode", func() (*tg.Graph, error) { return Decode(demo, 256, 44, Sampled) }, 139},
		{"prefill", func() (*tg.Graph, error) { return Prefill(demo, 256, 16, 44) }, 133},
		{"grad", func() (*tg.Graph, error) { return Grad(demo, 128, 44, false) }, 718},
		{"step", func() (*tg.Graph, error) { return Step(demo, 128, 44, false) }, 759},
		{"apply", func() (*tg.Graph, error) { return Apply(demo) }, 41},
	} {
		g, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		if n := g.NumNodes(); n != c.want {
			t.Errorf("%s has %d nodes, want %d", c.name, n, c.want)
		}
		if !bytes.Equal(g.Marshal(), again.Marshal()) {
			t.Errorf("%s is another model when it is built again", c.name)
		}
		if bytes.Contains(g.Marshal(), []byte("ScatterND")) {
			t.Errorf("%s uses ScatterND, whose addition races", c.name)
		}
	}
}

// Every kind of network builds every graph.
func TestVariants(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"plain":        func(*Config) {},
		"one key head": func(c *Config) { c.KVHeads = 1 },
		"all key head": func(c *Config) { c.KVHeads = 4 },
		"tied":         func(c *Config) { c.Tied = true },
		"biased":       func(c *Config) { c.QKVBias = true },
		"wide heads":   func(c *Config) { c.HeadDim = 32 },
		"adapters":     func(c *Config) { c.LoRA = &LoRA{Rank: 2, Alpha: 4} },
		"large vocab":  func(c *Config) { c.Vocab = 5000 },
	} {
		c := small()
		change(&c)
		for _, build := range []func() (*tg.Graph, error){
			func() (*tg.Graph, error) { return Score(c, 8, 16, true) },
			func() (*tg.Graph, error) { return Decode(c, 8, 16, Greedy) },
			func() (*tg.Graph, error) { return Decode(c, 8, 16, Undecided) },
			func() (*tg.Graph, error) { return Prefill(c, 8, 16, 16) },
			func() (*tg.Graph, error) { return Step(c, 8, 16, true) },
		} {
			if _, err := build(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestHyperVector(t *testing.T) {
	v := Hyper{LR: 1, ClipHigh: 2, OnPolicy: true, InvTemp: 3}.Vector()
	if len(v) != numHyper || v[hLR] != 1 || v[hClipHigh] != 2 || v[hOnPolicy] != 1 || v[hSequence] != 0 || v[hInvTemp] != 3 {
		t.Errorf("%v", v)
	}
}
