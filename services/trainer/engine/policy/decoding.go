package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// kvCache is the memory of keys and values, kept from call to call of the same shape.
type kvCache struct {
	key  ort.Key
	data [][]float32 // k of layer 0, v of layer 0, k of layer 1, …
}

// decoding are the values of one decode loop: the graph reads and writes these slices in each run.
type decoding struct {
	call     ort.Call
	values   ort.Values
	ids, pos []int64
	next     []int64
	u        []float32
	lp, ent  []float32
	all      []float32 // [B, V], only for Undecided
	vocab    int
	how      llama.Pick
}

// pick chooses the graph: filters need all log probabilities on our side.
func pick(r engine.SampleRequest) (llama.Pick, string) {
	switch {
	case r.Temperature == 0:
		return llama.Greedy, "greedy"
	case (r.TopP > 0 && r.TopP < 1) || r.TopK > 0 || r.MinP > 0:
		return llama.Undecided, "logits"
	}
	return llama.Sampled, "decode"
}

// newDecoding binds the loop's values for the rows and reads the prompts that are read at once.
func (p *Policy) newDecoding(ctx context.Context, r engine.SampleRequest, rows []int, l lengths) (_ *decoding, err error) {
	B, T := ort.Rows(len(rows)), l.cache
	how, kind := pick(r)
	s, err := p.cache.Get(ort.Key{Kind: kind, Rows: B, Tokens: T}, false, func() (*tg.Graph, error) { return llama.Decode(p.cfg, B, T, how) })
	if err != nil {
		return nil, err
	}
	d := &decoding{ids: make([]int64, B), pos: make([]int64, B), next: make([]int64, B), u: make([]float32, B),
		lp: make([]float32, B), ent: make([]float32, B), vocab: p.cfg.Vocab, how: how}
	if d.values, err = p.weights(false); err != nil {
		return nil, err
	}
	v := d.values
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	temperature := r.Temperature
	if temperature == 0 {
		temperature = 1
	}
	if how == llama.Undecided {
		d.all = make([]float32, B*p.cfg.Vocab)
		err = v.F32("all", d.all, B, p.cfg.Vocab)
	}
	err = errors.Join(err, v.I64("ids", d.ids, B, 1), v.I64("pos", d.pos, B), v.F32("u", d.u, B, 1),
		v.F32("inv_temp", []float32{float32(1 / temperature)}, 1), v.I64("next", d.next, B, 1),
		v.F32("logp", d.lp, B, 1), v.F32("entropy", d.ent, B, 1), p.bindCache(v, B, T))
	if err != nil {
		return nil, err
	}
	if l.prefill > 0 {
		if err := p.prefill(ctx, r, rows, l, v, d.pos); err != nil {
			return nil, err
		}
	}
	d.call, err = s.Bind(v)
	return d, err
}

// bindCache gives the graph its memory of keys and values, in place.
func (p *Policy) bindCache(v ort.Values, B, T int) error {
	if k := (ort.Key{Rows: B, Tokens: T}); p.kv.key != k {
		p.kv = kvCache{key: k}
		for range 2 * p.cfg.Layers {
			p.kv.data = append(p.kv.data, make([]float32, B*p.cfg.KVHeads*T*p.cfg.HeadDim))
		}
	}
	for i, data := range p.kv.data {
		clear(data) // a NaN left behind by another call would spread through masked positions
		name := fmt.Sprintf("%s.%d", []string{"k", "v"}[i%2], i/2)
		if err := v.F32(name, data, B, p.cfg.KVHeads, T, p.cfg.HeadDim); err != nil {
			return err
		}
		v[strings.Replace(name, ".", "_out.", 1)] = v[name]
	}
	return nil
}

// prefill reads all but the last token of each prompt in one run and puts the rows at that last token.
func (p *Policy) prefill(ctx context.Context, r engine.SampleRequest, rows []int, l lengths, v ort.Values, pos []int64) error {
	B := len(pos)
	s, err := p.cache.Get(ort.Key{Kind: fmt.Sprintf("prefill-%d", l.prefill), Rows: B, Tokens: l.cache}, false,
		func() (*tg.Graph, error) { return llama.Prefill(p.cfg, B, l.prefill, l.cache) })
	if err != nil {
		return err
	}
	ids := make([]int64, B*l.prefill)
	for j, i := range rows {
		prompt := r.Prompts[i].Tokens
		for t, id := range prompt[:len(prompt)-1] {
			ids[j*l.prefill+t] = int64(id)
		}
		pos[j] = int64(len(prompt) - 1)
	}
	if err := v.I64("ids_prompt", ids, B, l.prefill); err != nil {
		return err
	}
	return s.Run(ctx, v)
}

// choose gives row j's token and its log probability before any filter.
func (d *decoding) choose(j int, r engine.SampleRequest) (int32, float32) {
	if d.how != llama.Undecided {
		return int32(d.next[j]), d.lp[j]
	}
	all := d.all[j*d.vocab : (j+1)*d.vocab]
	tok := filtered(all, r, float64(d.u[j]))
	return int32(tok), all[tok]
}
