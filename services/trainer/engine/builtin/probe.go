package builtin

import (
	"context"
	"fmt"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/policy"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Probe says whether the engine can run here, by doing it: the library is opened and a tiny model samples a token, which
// needs the newest operators. With device cuda, or auto on a machine that has it, the node of the device check runs too.
// cfg's model is not read.
func Probe(ctx context.Context, cfg Config) (detail string, env map[string]string, err error) {
	rt, err := onnx.Open(onnx.Config{Library: cfg.Library, Threads: cfg.Threads})
	if err != nil {
		return "", nil, err
	}
	cuda, note, err := device(rt, cfg.Device)
	if err != nil {
		return "", rt.Environment(), err
	}
	net := llama.Config{ModelType: "llama", Vocab: 16, Dim: 8, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 8, FFN: 8, Context: 8,
		Eps: 1e-5, Tied: true, Rope: llama.Rope{Theta: 10000}}
	p, err := policy.New(rt, net, onnx.SessionConfig{Threads: cfg.Threads, CUDA: cuda})
	if err != nil {
		return "", rt.Environment(), err
	}
	defer p.Close() // a probe has nothing to lose
	p.Init(1)
	rows, err := p.Sample(ctx, engine.SampleRequest{Prompts: []engine.Prompt{{Tokens: []int32{1}}}, MaxTokens: 2, Temperature: 1}, policy.Ending{})
	if err != nil {
		return "", rt.Environment(), &onnx.Error{Reason: onnx.Mismatch, Detail: "the library does not run a model", Tried: []string{rt.Path}, Err: err}
	}
	detail = fmt.Sprintf("ONNX Runtime %s sampled %d tokens on the CPU", rt.Version, len(rows[0].Tokens))
	if cuda {
		detail = fmt.Sprintf("ONNX Runtime %s sampled %d tokens on CUDA", rt.Version, len(rows[0].Tokens))
	} else if note != "" {
		detail += "; " + note
	}
	return detail, rt.Environment(), nil
}
