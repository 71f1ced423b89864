package builtin

import (
	"github.com/provenir/provenir/internal/token"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/policy"
)

// model gives the network, its tokenizer, and what fills the weights once they have memory.
func model(cfg Config) (llama.Config, token.Tokenizer, func(*policy.Policy) error, error) {
	if cfg.Init != nil {
		tok := token.NewBytes()
		net, err := cfg.Init.network(tok.Vocab())
		return net, tok, func(p *policy.Policy) error {
			p.Init(cfg.Seed)
			return nil
		}, err
	}
	return openFolder(cfg.Folder, cfg.Seed)
}

// Reads gives the tokenizer of the model and how many tokens it takes, without ONNX Runtime and without the weights.
func Reads(cfg Config) (token.Tokenizer, int, error) {
	net, tok, _, err := model(cfg)
	if err != nil {
		return nil, 0, err
	}
	if cfg.Context > 0 && cfg.Context < net.Context {
		return tok, cfg.Context, nil
	}
	return tok, net.Context, nil
}
