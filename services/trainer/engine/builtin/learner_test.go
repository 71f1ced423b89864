package builtin

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// learner trains the demo with a reward inside the test: the smallest runner that the engine can have.
type learner struct {
	tb   testing.TB
	e    engine.Engine
	seed uint64
	test []problem
}

func (l *learner) encode(s string) []int32 {
	ids, err := l.e.Tokenizer().Encode([]byte(s))
	if err != nil {
		l.tb.Fatal(err)
	}
	return ids
}

// sample completes problems and rewards the completions that ended by themselves.
func (l *learner) sample(ps []problem, temperature float64, step uint64) ([]engine.Row, []float64) {
	r := engine.SampleRequest{MaxTokens: 44, Temperature: temperature}
	for i, p := range ps {
		r.Prompts = append(r.Prompts, engine.Prompt{Tokens: l.encode(p.prompt),
			Key: engine.Key{Seed: l.seed, Step: step, Prompt: uint64(i / 8), Sample: uint32(i % 8)}})
	}
	rows, err := l.e.Sample(l.tb.Context(), r)
	if err != nil {
		l.tb.Fatal(err)
	}
	out := make([]float64, len(ps))
	for i, row := range rows {
		text, err := l.e.Tokenizer().Decode(row.Tokens)
		if err != nil {
			l.tb.Fatal(err)
		}
		if row.Stop == engine.StopEOS {
			out[i] = ps[i].reward(text)
		}
	}
	return rows, out
}

// accuracy is the greedy share of right answers to held-out problems.
func (l *learner) accuracy() float64 {
	_, r := l.sample(l.heldOut(), 0, 0)
	return average(r)
}

// sampledAccuracy is the same at temperature 1, which says how much of the distribution is right.
func (l *learner) sampledAccuracy() float64 {
	_, r := l.sample(l.heldOut(), 1, 1<<32)
	return average(r)
}

func (l *learner) heldOut() []problem {
	if l.test == nil {
		rng := rand.New(rand.NewPCG(99, 99))
		for range 256 {
			l.test = append(l.test, generate(rng, 0, true))
		}
	}
	return l.test
}

func average(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func (l *learner) begin() {
	if err := l.e.BeginStage(l.tb.Context()); err != nil {
		l.tb.Fatal(err)
	}
}

func (l *learner) step(b engine.Batch, h engine.Hyper) map[string]float64 {
	res, err := l.e.Step(l.tb.Context(), b, h)
	if err != nil {
		l.tb.Fatal(err)
	}
	if !res.Applied {
		l.tb.Fatalf("step not applied: %s %v", res.Reason, res.Metrics)
	}
	return res.Metrics
}

func objectiveRow(tb testing.TB, name string) objective.Row {
	r, err := objective.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// sft trains on demonstrations.
func (l *learner) sft(d DemoStage) (last map[string]float64) {
	l.begin()
	rng := rand.New(rand.NewPCG(l.seed, 2))
	demos := make([]problem, d.Rows)
	for i := range demos {
		demos[i] = generate(rng, d.Working, false)
	}
	row := objectiveRow(l.tb, d.Objective)
	h := row.Hyper()
	h.WeightDecay = d.WeightDecay
	var order []int
	for s := range d.Steps {
		var b engine.Batch
		var n []int
		if len(order) < d.Prompts {
			order = append(order, rng.Perm(len(demos))...)
		}
		for _, i := range order[:d.Prompts] {
			prompt, answer := l.encode(demos[i].prompt), l.encode(demos[i].completion())
			eos, _ := l.e.Tokenizer().EOS()
			answer = append(answer, eos)
			b.Rows = append(b.Rows, engine.TrainRow{Tokens: append(prompt, answer...), Start: len(prompt), Advantage: 1})
			n = append(n, len(answer))
		}
		order = order[d.Prompts:]
		l.weigh(&b, row, n)
		h.LR = d.at(s)
		last = l.step(b, h)
	}
	return last
}

// at is the learning rate of step s.
func (d DemoStage) at(s int) float64 {
	if s < d.Warmup {
		return d.LR * float64(s+1) / float64(d.Warmup+1)
	}
	return d.LR * (1 + math.Cos(math.Pi*float64(s-d.Warmup)/float64(d.Steps-d.Warmup))) / 2
}

func (l *learner) weigh(b *engine.Batch, row objective.Row, lengths []int) {
	w, err := objective.Weights(row.Params.Aggregation, objective.Lengths(lengths...), 44)
	if err != nil {
		l.tb.Fatal(err)
	}
	for i := range b.Rows {
		b.Rows[i].Weight = w[i]
	}
}

// rl samples groups, rewards them and steps on minibatches; reward changes rewards if it is set, report may be nil.
func (l *learner) rl(d DemoStage, reward func(p problem, r float64) float64, report func(step int, reward float64, m map[string]float64)) {
	l.begin()
	row := objectiveRow(l.tb, d.Objective)
	h := row.Hyper()
	if h.KL > 0 {
		h.KL = d.KL
	}
	rng := rand.New(rand.NewPCG(l.seed, 3))
	for s := range d.Steps {
		var ps []problem
		for range d.Prompts {
			q := generate(rng, 0, false)
			for range d.GroupSize {
				ps = append(ps, q)
			}
		}
		rows, got := l.sample(ps, 1, uint64(s+1))
		rewards := make([]objective.Reward, len(ps))
		seqs := make([]engine.Sequence, len(ps))
		for i := range ps {
			if reward != nil {
				got[i] = reward(ps[i], got[i])
			}
			rewards[i] = objective.Reward{Value: got[i], Scored: true, Group: i / d.GroupSize}
			prompt := l.encode(ps[i].prompt)
			seqs[i] = engine.Sequence{Tokens: append(prompt, rows[i].Tokens...), Start: len(prompt)}
		}
		adv, err := objective.Advantages(row.Estimator, rewards, objective.AdvantageParams{})
		if err != nil {
			l.tb.Fatal(err)
		}
		ref, err := l.e.Score(l.tb.Context(), engine.ScoreRequest{Sequences: seqs, Reference: true})
		if err != nil {
			l.tb.Fatal(err)
		}
		h.LR = d.at(s)
		var m map[string]float64
		order := rng.Perm(len(ps))
		for at := 0; at < len(order); at += d.Minibatch {
			var b engine.Batch
			var n []int
			for _, i := range order[at:min(at+d.Minibatch, len(order))] {
				b.Rows = append(b.Rows, engine.TrainRow{Tokens: seqs[i].Tokens, Start: seqs[i].Start,
					Advantage: float32(adv.Advantages[i]), Old: rows[i].LogProbs, Ref: ref[i].LogProbs})
				n = append(n, len(rows[i].Tokens))
			}
			l.weigh(&b, row, n)
			m = l.step(b, h)
		}
		if report != nil {
			report(s, average(got), m)
		}
	}
}
