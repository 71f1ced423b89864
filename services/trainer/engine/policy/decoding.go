package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
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

func (p *Policy) newDecoding(s *ort.Session, r engine.SampleRequest, B, T int, how llama.Pick) (d *decoding, err error) {
	d = &decoding{ids: make([]int64, B), pos: make([]int64, B), next: make([]int64, B), u: make([]float32, B),
		lp: make([]float32, B), ent: make([]float32, B), vocab: p.cfg.Vocab, how: how}
	if d.values, err = p.weights(false); err != nil {
		return nil, err
	}
	v := d.values
	temperature := r.Temperature
	if temperature == 0 {
		temperature = 1
	}
	errs := []error{v.I64("ids", d.ids, B, 1), v.I64("pos", d.pos, B), v.F32("u", d.u, B, 1),
		v.F32("inv_temp", []float32{float32(1 / temperature)}, 1), v.I64("next", d.next, B, 1),
		v.F32("logp", d.lp, B, 1), v.F32("entropy", d.ent, B, 1)}
	if how == llama.Undecided {
		d.all = make([]float32, B*p.cfg.Vocab)
		errs = append(errs, v.F32("all", d.all, B, p.cfg.Vocab))
	}
	if k := (ort.Key{Rows: B, Tokens: T}); p.kv.key != k {
		p.kv = kvCache{key: k}
		for range 2 * p.cfg.Layers {
			p.kv.data = append(p.kv.data, make([]float32, B*p.cfg.KVHeads*T*p.cfg.HeadDim))
		}
	}
	for i, data := range p.kv.data {
		clear(data) // a NaN left behind by another call would spread through masked positions
		name := fmt.Sprintf("%s.%d", []string{"k", "v"}[i%2], i/2)
		errs = append(errs, v.F32(name, data, B, p.cfg.KVHeads, T, p.cfg.HeadDim))
		v[strings.Replace(name, ".", "_out.", 1)] = v[name] // in place
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	if d.call, err = s.Bind(v); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return d, nil
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
