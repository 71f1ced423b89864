package policy

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// fixture is one case of testdata/gradients.json, written by gradients.py with PyTorch in float64.
type fixture struct {
	Name, Kind string
	Config     struct {
		Vocab, Dim, Layers, Heads, KV, HD, FFN int
		Tied, Bias                             bool
		Theta, Factor, Low, High, Original     float64
		Rope                                   string
		Rank                                   int
		Alpha                                  float64
	}
	Hyper struct {
		Low, High, KL, Dual, Delta, Entropy, Temperature, Beta float64
		Sequence                                               bool
	}
	Rows []struct {
		Tokens           []int32
		Start            int
		Old, Ref, Weight []float32
		Advantage        float32
	}
	Loss float64
	Grad map[string]string
}

// mix is the integer hash from which both sides draw the weights.
func mix(i uint32) uint32 {
	z := i + 0x9e3779b9
	z = (z ^ z>>16) * 0x85ebca6b
	z = (z ^ z>>13) * 0xc2b2ae35
	return z ^ z>>16
}

func hashed(flat []float32, ps []llama.Param, at uint32) {
	i := 0
	for _, p := range ps {
		for range p.Size() {
			u := float64(mix(at+uint32(i)))/(1<<32) - .5
			switch {
			case strings.HasSuffix(p.Name, "norm.weight"):
				u = 1 + .4*u
			case strings.HasSuffix(p.Name, "bias"):
				u *= .4
			case strings.Contains(p.Name, ".lora_"):
				u *= .75 / math.Sqrt(float64(p.Shape[len(p.Shape)-1]))
			default:
				u *= 3 / math.Sqrt(float64(p.Shape[len(p.Shape)-1]))
			}
			flat[i] = float32(u)
			i++
		}
	}
}

func (f fixture) policy(t *testing.T) *Policy {
	x := f.Config
	c := llama.Config{ModelType: "llama", Vocab: x.Vocab, Dim: x.Dim, Layers: x.Layers, Heads: x.Heads, KVHeads: x.KV, HeadDim: x.HD,
		FFN: x.FFN, Context: 64, Eps: 1e-5, Tied: x.Tied, QKVBias: x.Bias,
		Rope: llama.Rope{Theta: x.Theta, Type: x.Rope, Factor: x.Factor, LowFreq: x.Low, HighFreq: x.High, OriginalContext: x.Original}}
	if x.Rank > 0 {
		c.LoRA = &llama.LoRA{Rank: x.Rank, Alpha: x.Alpha}
		p := open(t, c, 2)
		hashed(p.Frozen(), c.Frozen(), 1)
		hashed(p.Trained(), c.Trained(), 1000003)
		return p
	}
	p := open(t, c, 2)
	hashed(p.Trained(), c.Trained(), 1)
	return p
}

// batch is the fixture's, or for DPO the weights that make an on-policy step of it: −dloss/dS of package objective.
func (f fixture) batch(t *testing.T, p *Policy) (engine.Batch, engine.Hyper) {
	var b engine.Batch
	for _, r := range f.Rows {
		row := engine.TrainRow{Tokens: r.Tokens, Start: r.Start, Weight: r.Weight, Advantage: r.Advantage, Old: r.Old, Ref: r.Ref}
		if len(r.Old) == 0 {
			row.Old = nil
		}
		b.Rows = append(b.Rows, row)
	}
	x := f.Hyper
	h := engine.Hyper{ClipLow: x.Low, ClipHigh: x.High, KL: x.KL, DualClip: x.Dual, Delta: x.Delta, EntropyCoef: x.Entropy,
		SequenceRatio: x.Sequence, Temperature: x.Temperature}
	if f.Kind != "dpo" {
		return b, h
	}
	sum := func(i int, ref bool) (s float64) {
		v := f.Rows[i].Ref
		if !ref {
			got, err := p.Score(t.Context(), engine.ScoreRequest{Sequences: []engine.Sequence{{Tokens: f.Rows[i].Tokens, Start: f.Rows[i].Start}}})
			if err != nil {
				t.Fatal(err)
			}
			v = got[0].LogProbs
		}
		for _, x := range v {
			s += float64(x)
		}
		return s
	}
	for i := 0; i < len(b.Rows); i += 2 {
		d := objective.DPO(objective.Sums{Chosen: sum(i, false), Rejected: sum(i+1, false), RefChosen: sum(i, true), RefRejected: sum(i+1, true)}, x.Beta, 0)
		chosen, rejected := d.Weights(len(b.Rows) / 2)
		for k, w := range []float64{chosen, rejected} {
			r := &b.Rows[i+k]
			r.Old, r.Advantage, r.Weight = nil, 1, make([]float32, len(r.Tokens)-r.Start)
			for j := range r.Weight {
				r.Weight[j] = float32(w)
			}
		}
	}
	return b, h
}

// The gradient of every kind of loss, network and adapter agrees with PyTorch's to 2e-6 of its length.
func TestGradientAgainstTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/gradients.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			p := f.policy(t)
			b, h := f.batch(t, p)
			loss, got, err := p.Gradient(t.Context(), b, h)
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind != "dpo" && math.Abs(loss-f.Loss) > 1e-6*(1+math.Abs(f.Loss)) {
				t.Errorf("loss %.9g, want %.9g", loss, f.Loss)
			}
			var want []float32
			for _, x := range p.Config().Trained() {
				raw, err := base64.StdEncoding.DecodeString(f.Grad[x.Name])
				if err != nil || len(raw) != 4*x.Size() {
					t.Fatalf("fixture of %s: %d bytes, %v", x.Name, len(raw), err)
				}
				for ; len(raw) > 0; raw = raw[4:] {
					want = append(want, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
				}
			}
			d := relative(got, want)
			t.Logf("relative L2 %.1e over %d weights", d, len(got))
			if !(d <= 2e-6) {
				t.Errorf("the gradient is off by %.1e", d)
			}
		})
	}
}
