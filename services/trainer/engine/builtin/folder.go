package builtin

import (
	"fmt"
	"io/fs"

	"github.com/provenir/provenir/internal/token"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/policy"
)

// openFolder reads a Hugging Face folder: configuration and tokenizer now, weights when there is memory for them.
func openFolder(from fs.FS, seed uint64) (llama.Config, token.Tokenizer, func(*policy.Policy) error, error) {
	raw, err := fs.ReadFile(from, configFile)
	if err != nil {
		return llama.Config{}, nil, nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: "the folder has no " + configFile, Err: err}
	}
	net, err := parseConfig(raw)
	if err != nil {
		return net, nil, nil, err
	}
	ids, err := specials(raw)
	if err != nil {
		return net, nil, nil, err
	}
	tok, err := openTokenizer(from, ids)
	if err != nil {
		return net, nil, nil, err
	}
	if tok.Vocab() > net.Vocab {
		return net, nil, nil, &engine.Error{Reason: "TOKENIZER_MISMATCH", Detail: fmt.Sprintf(
			"the tokenizer has %d ids, the model's vocab_size is %d", tok.Vocab(), net.Vocab)}
	}
	return net, tok, func(p *policy.Policy) error {
		ps, flat := p.Config().Trained(), p.Trained()
		if p.Config().LoRA != nil {
			p.InitAdapters(seed)
			ps, flat = p.Config().Frozen(), p.Frozen()
		}
		return readWeights(from, weightMap(ps, flat), net.Tied)
	}, nil
}

// openTokenizer reads tokenizer.json.
func openTokenizer(from fs.FS, ids token.Special) (token.Tokenizer, error) {
	raw, err := fs.ReadFile(from, tokenizerFile)
	if err != nil {
		return nil, &engine.Error{Reason: token.Unsupported, Detail: "the folder has no " + tokenizerFile +
			"; convert the tokenizer with transformers' save_pretrained", Err: err}
	}
	return token.Parse(raw, ids)
}
