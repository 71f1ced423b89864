package builtin

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/token"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/policy"
)

// Engine implements engine.Engine.
type Engine struct {
	policy    *policy.Policy
	tokenizer token.Tokenizer
	info      engine.Info
}

var _ engine.Engine = (*Engine)(nil)

// New builds the engine. What the model, the tokenizer or the machine cannot do is an error with a reason of the
// trainer's contract (engine.ReasonOf).
func New(cfg Config) (*Engine, error) {
	if (cfg.Init == nil) == (cfg.Folder == nil) {
		return nil, errors.New("built-in engine: set either a fresh model (Init) or a folder, not both")
	}
	rt, err := onnx.Open(onnx.Config{Library: cfg.Library, Threads: cfg.Threads})
	if err != nil {
		return nil, err
	}
	cuda, note, err := device(rt, cfg.Device)
	if err != nil {
		return nil, err
	}
	net, tok, load, err := model(cfg)
	if err != nil {
		return nil, err
	}
	net.LoRA = cfg.LoRA
	if cfg.Context > 0 && cfg.Context < net.Context {
		net.Context = cfg.Context
	} else if cfg.Context > net.Context {
		return nil, &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: fmt.Sprintf(
			"a context of %d tokens was asked for, the model has %d", cfg.Context, net.Context)}
	}
	p, err := policy.New(rt, net, onnx.SessionConfig{Threads: cfg.Threads, Spin: cfg.Spin, CUDA: cuda})
	if err != nil {
		return nil, err
	}
	if err := load(p); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	e := &Engine{policy: p, tokenizer: tok, info: engine.Info{Name: "builtin", Repeatable: !cuda,
		Parameters: int64(llama.Count(net.Trained())), Vocab: net.Vocab, Context: net.Context, Device: "cpu", DeviceNote: note,
		Environment: maps.Clone(rt.Environment())}}
	if cuda {
		e.info.Device = "cuda"
	}
	if cfg.Threads > 0 {
		e.info.Environment["threads"] = fmt.Sprint(cfg.Threads)
	}
	if e.info.ConfigJSON, err = configJSON(net, tok); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return e, nil
}

// Info never changes.
func (e *Engine) Info() engine.Info { return e.info }

// Tokenizer maps text to ids.
func (e *Engine) Tokenizer() engine.Tokenizer { return e.tokenizer }

// BeginStage freezes the present weights as the reference and resets the optimizer.
func (e *Engine) BeginStage(context.Context) error {
	e.policy.BeginStage()
	return nil
}

// Sample completes prompts.
func (e *Engine) Sample(ctx context.Context, r engine.SampleRequest) ([]engine.Row, error) {
	eos, ok := e.tokenizer.EOS()
	return e.policy.Sample(ctx, r, policy.Ending{EOS: eos, HasEOS: ok, Decode: e.tokenizer.Decode})
}

// Score gives log probabilities.
func (e *Engine) Score(ctx context.Context, r engine.ScoreRequest) ([]engine.Scores, error) {
	return e.policy.Score(ctx, r)
}

// Step updates the weights.
func (e *Engine) Step(ctx context.Context, b engine.Batch, h engine.Hyper) (engine.StepResult, error) {
	return e.policy.Step(ctx, b, h)
}

// WeightsDigest covers the trained parameters.
func (e *Engine) WeightsDigest() [32]byte { return policy.Digest(e.policy.Trained()) }

// Close frees the sessions. The library stays: it belongs to the process.
func (e *Engine) Close() error { return e.policy.Close() }
