// Package tabular is a policy without layers: for each prompt a softmax over a few one-byte answers.
//
// It samples, scores, learns and saves for real, in microseconds and without ONNX Runtime, so it stands in for the
// built-in engine wherever a test is about something else. Its gradient is exact: objective.Reference gives dloss/dlogp
// of every row of the objective table, and d logp/d logits of a softmax is onehot − p.
package tabular

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

const eos = 256 // bytes are 0 to 255

// Engine is the policy.
type Engine struct {
	answers []byte
	table   map[string][]float64 // prompt → logits, one an answer; a prompt that was never trained has zeros
	ref     map[string][]float64
}

var _ engine.Engine = (*Engine)(nil)

// New starts uniform over the answers.
func New(answers []byte) (*Engine, error) {
	a := slices.Clone(answers)
	slices.Sort(a)
	if len(a) < 2 || len(slices.Compact(slices.Clone(a))) != len(a) {
		return nil, &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: "tabular needs at least two different answers"}
	}
	return &Engine{answers: a, table: map[string][]float64{}, ref: map[string][]float64{}}, nil
}

// Info says what it is.
func (e *Engine) Info() engine.Info {
	config, err := json.Marshal(state{Type: modelType, Answers: e.answers})
	if err != nil { // bytes always marshal
		config = nil
	}
	return engine.Info{Name: "tabular", Repeatable: true, Parameters: int64(len(e.table) * len(e.answers)), Vocab: eos + 1,
		Context: 4096, Device: "cpu", Environment: map[string]string{}, ConfigJSON: config}
}

// Tokenizer is one token a byte.
func (e *Engine) Tokenizer() engine.Tokenizer { return byteTokens{} }

// BeginStage freezes the reference.
func (e *Engine) BeginStage(context.Context) error {
	e.ref = clone(e.table)
	return nil
}

func clone(t map[string][]float64) map[string][]float64 {
	out := make(map[string][]float64, len(t))
	for k, v := range t {
		out[k] = slices.Clone(v)
	}
	return out
}

// Sample draws one answer a prompt, then EOS.
func (e *Engine) Sample(ctx context.Context, r engine.SampleRequest) ([]engine.Row, error) {
	out := make([]engine.Row, len(r.Prompts))
	for i, p := range r.Prompts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		logp := e.logp(e.table, p.Tokens, cmp.Or(r.Temperature, 1))
		k := argmax(logp)
		if r.Temperature > 0 {
			k = draw(logp, stream(p.Key).Float64())
		}
		row := engine.Row{Tokens: []int32{int32(e.answers[k])}, LogProbs: []float32{float32(logp[k])},
			Entropy: []float32{float32(entropy(logp))}, Stop: engine.StopLength}
		if r.MaxTokens > 1 {
			row.Tokens, row.LogProbs, row.Entropy = append(row.Tokens, eos), append(row.LogProbs, 0), append(row.Entropy, 0)
			row.Stop = engine.StopEOS
		}
		out[i] = row
	}
	return out, nil
}

// Score scores the first token after Start as an answer; EOS after it is certain.
func (e *Engine) Score(_ context.Context, r engine.ScoreRequest) ([]engine.Scores, error) {
	table := e.table
	if r.Reference {
		table = e.ref
	}
	out := make([]engine.Scores, len(r.Sequences))
	for i, s := range r.Sequences {
		lp, en, err := e.score(table, s.Tokens, s.Start, cmp.Or(r.Temperature, 1))
		if err != nil {
			return nil, err
		}
		out[i] = engine.Scores{LogProbs: lp, Entropy: en}
	}
	return out, nil
}

func (e *Engine) score(table map[string][]float64, tokens []int32, start int, temperature float64) (lp, en []float32, err error) {
	if start < 1 || start >= len(tokens) {
		return nil, nil, fmt.Errorf("tabular: start %d of %d tokens", start, len(tokens))
	}
	logp := e.logp(table, tokens[:start], temperature)
	k, ok := e.index(tokens[start])
	if !ok {
		return nil, nil, fmt.Errorf("tabular: token %d is no answer", tokens[start])
	}
	lp, en = make([]float32, len(tokens)-start), make([]float32, len(tokens)-start)
	lp[0], en[0] = float32(logp[k]), float32(entropy(logp))
	return lp, en, nil
}

func (e *Engine) index(token int32) (int, bool) {
	if token < 0 || token > 255 {
		return 0, false
	}
	return slices.BinarySearch(e.answers, byte(token))
}

func (e *Engine) logp(table map[string][]float64, prompt []int32, temperature float64) []float64 {
	logits := table[key(prompt)]
	out := make([]float64, len(e.answers))
	top := math.Inf(-1)
	for i := range out {
		if logits != nil {
			out[i] = logits[i] / temperature
		}
		top = max(top, out[i])
	}
	sum := 0.0
	for _, x := range out {
		sum += math.Exp(x - top)
	}
	for i := range out {
		out[i] -= top + math.Log(sum)
	}
	return out
}

func key(prompt []int32) string {
	b := make([]byte, 0, len(prompt))
	for _, t := range prompt {
		b = append(b, byte(t))
	}
	return string(b)
}

func argmax(x []float64) int {
	best := 0
	for i := range x {
		if x[i] > x[best] {
			best = i
		}
	}
	return best
}

// draw inverts the CDF.
func draw(logp []float64, u float64) int {
	sum := 0.0
	for i, x := range logp {
		if sum += math.Exp(x); u < sum {
			return i
		}
	}
	return len(logp) - 1
}

func entropy(logp []float64) float64 {
	h := 0.0
	for _, x := range logp {
		h -= math.Exp(x) * x
	}
	return h
}

func stream(k engine.Key) *rand.Rand {
	b := []byte("provenir/row/v1")
	b = binary.LittleEndian.AppendUint64(b, k.Seed)
	b = binary.LittleEndian.AppendUint32(b, k.Branch)
	b = binary.LittleEndian.AppendUint64(b, k.Step)
	b = binary.LittleEndian.AppendUint64(b, k.Prompt)
	b = binary.LittleEndian.AppendUint32(b, k.Sample)
	h := sha256.Sum256(b)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:16])))
}

// WeightsDigest hashes the table in prompt order.
func (e *Engine) WeightsDigest() [32]byte {
	h := sha256.New()
	for _, p := range slices.Sorted(maps.Keys(e.table)) {
		h.Write([]byte(p))
		h.Write([]byte{0})
		for _, x := range e.table[p] {
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(x))
			h.Write(b[:])
		}
	}
	return [32]byte(h.Sum(nil))
}

const modelType = "provenir_tabular"

type state struct {
	Type    string               `json:"model_type"`
	Answers []byte               `json:"answers"`
	Table   map[string][]float64 `json:"table,omitempty"` // prompts as base64: they need not be UTF-8
}

// Save writes config.json, model.json and tokenizer.json. The table has no optimizer state.
func (e *Engine) Save(_ context.Context, to engine.Sink, _ bool) error {
	table := make(map[string][]float64, len(e.table))
	for k, v := range e.table {
		table[fmt.Sprintf("%x", k)] = v
	}
	model, err := json.Marshal(state{modelType, e.answers, table})
	if err != nil {
		return fmt.Errorf("tabular: a table that is not finite cannot be saved: %w", err)
	}
	for name, content := range map[string][]byte{"config.json": e.Info().ConfigJSON, "model.json": model, "tokenizer.json": tokenizerJSON} {
		w, err := to.Create(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Load restores what Save wrote.
func (e *Engine) Load(_ context.Context, from fs.FS) error {
	t, err := e.read(from)
	if err != nil {
		return err
	}
	e.table = t
	return nil
}

// Reference replaces the reference.
func (e *Engine) Reference(_ context.Context, from fs.FS) error {
	t, err := e.read(from)
	if err != nil {
		return err
	}
	e.ref = t
	return nil
}

func (e *Engine) read(from fs.FS) (map[string][]float64, error) {
	b, err := fs.ReadFile(from, "model.json")
	if err != nil {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "tabular model", Err: err}
	}
	var s state
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil || s.Type != modelType || !bytes.Equal(s.Answers, e.answers) {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "model.json is not a table over the same answers", Err: err}
	}
	out := make(map[string][]float64, len(s.Table))
	for k, v := range s.Table {
		var prompt []byte
		if _, err := fmt.Sscanf(k, "%x", &prompt); (err != nil && k != "") || len(v) != len(e.answers) {
			return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "model.json has a malformed row"}
		}
		out[string(prompt)] = v
	}
	return out, nil
}

// Close frees nothing.
func (e *Engine) Close() error { return nil }

// Step follows the exact gradient by plain gradient descent with the given learning rate.
func (e *Engine) Step(_ context.Context, b engine.Batch, h engine.Hyper) (engine.StepResult, error) {
	grad, metrics, err := e.gradient(b, h)
	if err != nil {
		return engine.StepResult{}, err
	}
	norm := 0.0
	for _, p := range slices.Sorted(maps.Keys(grad)) {
		for _, g := range grad[p] {
			norm += g * g
		}
	}
	norm = math.Sqrt(norm)
	metrics["optim.grad_norm"] = norm
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return engine.StepResult{Reason: "NON_FINITE", Metrics: metrics}, nil
	}
	scale := h.LR
	if h.MaxNorm > 0 && norm > h.MaxNorm {
		scale *= h.MaxNorm / norm
	}
	for p, g := range grad {
		row := e.table[p]
		if row == nil {
			row = make([]float64, len(e.answers))
			e.table[p] = row
		}
		for k := range row {
			row[k] -= scale * g[k]
		}
	}
	return engine.StepResult{Applied: true, Metrics: metrics}, nil
}

// gradient sums w·dℓ/dlogp·(onehot − p) by prompt. objective.Reference is asked row by row with a single-row batch, for
// which its own weights are 1/len; the caller's weights are applied here.
func (e *Engine) gradient(b engine.Batch, h engine.Hyper) (map[string][]float64, map[string]float64, error) {
	grad := map[string][]float64{}
	metrics := map[string]float64{}
	weightSum, nll := 0.0, 0.0
	for _, r := range b.Rows {
		lp, _, err := e.score(e.table, r.Tokens, r.Start, cmp.Or(h.Temperature, 1))
		if err != nil {
			return nil, nil, err
		}
		one := rowCase(r, lp)
		row := objective.Row{Name: "row", OnPolicy: r.Old == nil, SequenceRatio: h.SequenceRatio, Params: objective.Params{
			ClipLow: cmp.Or(h.ClipLow, .2), ClipHigh: cmp.Or(h.ClipHigh, .2), KL: h.KL, DualClip: h.DualClip, Delta: h.Delta,
			Aggregation: objective.SequenceMean}}
		out, err := objective.Reference(row, one)
		if err != nil {
			return nil, nil, err
		}
		w := float64(r.Weight[0]) * float64(len(lp)) // Reference has divided by the length
		for k, v := range out.Metrics {
			metrics[k] += v * w
		}
		metrics["loss.policy"] += out.Loss * w
		weightSum += w
		nll -= float64(lp[0]) * w
		p := key(r.Tokens[:r.Start])
		if grad[p] == nil {
			grad[p] = make([]float64, len(e.answers))
		}
		k, _ := e.index(r.Tokens[r.Start]) // score has checked it
		for j, l := range e.logp(e.table, r.Tokens[:r.Start], cmp.Or(h.Temperature, 1)) {
			hot := 0.0
			if j == k {
				hot = 1
			}
			grad[p][j] += w * out.Grad[0][0] * (hot - math.Exp(l))
		}
	}
	if weightSum > 0 {
		metrics["policy.nll"] = nll / weightSum
	}
	return grad, metrics, nil
}

func rowCase(r engine.TrainRow, lp []float32) objective.Case {
	c := objective.Case{LogP: [][]float64{wide(lp)}}
	adv := make([]float64, len(lp))
	for i := range adv {
		adv[i] = float64(r.Advantage)
	}
	c.Advantage = [][]float64{adv}
	if r.Old != nil {
		c.Old = [][]float64{wide(r.Old)}
	}
	if r.Ref != nil {
		c.Ref = [][]float64{wide(r.Ref)}
	}
	return c
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = float64(x[i])
	}
	return out
}
