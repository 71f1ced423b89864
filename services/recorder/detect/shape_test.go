package detect_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// shapes makes one shape for all steps of the same names and tags, as the recorder does.
type shapes map[string]*metric.Shape

func (s shapes) of(values []metric.Value) *metric.Shape {
	key := ""
	for _, v := range values {
		key += fmt.Sprintf("%q %q ", v.Name, v.Tags)
	}
	if s[key] == nil {
		s[key] = metric.NewShape(values)
	}
	return s[key]
}

// strange is a healthy run in which everything happens that a shape must not hide: metrics that vanish and come back, other
// tags, evaluation values of the same name, numbers that cannot be, new stages, attempts and steps that go back.
func strange(seed uint64, steps int) []detect.Sample {
	h, r := newHealthy(seed), rand.New(rand.NewPCG(seed, 99))
	var out []detect.Sample
	var gone []string
	estimator, objective, stage, attempt, at := "k1", "sft", uint32(0), uint32(0), uint64(0)
	for i := range steps {
		switch r.IntN(25) {
		case 0:
			gone = append(gone, []string{metric.KLRef, metric.Entropy, metric.RewardMean, metric.GradNorm}[r.IntN(4)])
		case 1:
			gone = nil
		case 2:
			estimator = []string{"", "k1", "k3"}[r.IntN(3)]
		case 3:
			objective, stage = []string{"sft", "grpo", ""}[r.IntN(3)], stage+1
		case 4:
			attempt++
		case 5:
			at -= min(at, 5)
		}
		s := detect.Sample{Seq: uint64(i), Step: at, Attempt: attempt, Stage: stage, Objective: objective, Digest: [32]byte{byte(i), byte(i >> 8)},
			Rows: detect.Rows{Sampled: 64, Scored: 64 - uint64(r.IntN(2)*r.IntN(40)), Groups: 8, WithSignal: 6, ScoredKnown: true}}
		at++
		for name, x := range h.at(uint64(i)) {
			if slices.Contains(gone, name) {
				continue
			}
			v := metric.Value{Name: name, X: x, Tags: metric.Tags{Scope: "train"}}
			if name == metric.KLRef {
				v.Estimator = estimator
			}
			switch r.IntN(400) {
			case 0:
				v.X = math.NaN()
			case 1:
				v.X = -3
			case 2:
				v.X *= 1e4
			}
			s.Values = append(s.Values, v)
			if name == metric.RewardMean && r.IntN(3) == 0 {
				v.Scope, v.X = "eval", 0
				s.Values = append(s.Values, v)
			}
		}
		slices.SortFunc(s.Values, func(a, b metric.Value) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope)) })
		out = append(out, s)
	}
	return out
}

// A step with a shape is judged as one without: it is a way to look, and no other rule.
func TestAShapeChangesNoFinding(t *testing.T) {
	found := 0
	for seed := range uint64(4) {
		config := detect.Config{Method: "grpo"}
		if seed%2 == 1 {
			config.Disabled = []string{"reward_spike"}
		}
		known := shapes{}
		plain, shaped := newRun(t, config), newRun(t, config)
		for i, s := range strange(seed, 300) {
			if i%97 == 96 {
				shaped = shaped.restart(t, config)
			}
			var events [2][]incident.Event
			for k, r := range []*run{plain, shaped} {
				s := s
				if k == 1 {
					s.Shape = known.of(s.Values)
				}
				signals := r.engine.Step(nil, &s, r.tracker.IsOpen)
				events[k] = slices.Clone(r.tracker.Step(incident.Place{Seq: s.Seq, Step: s.Step, Attempt: s.Attempt}, r.engine.Spans(), signals))
			}
			if plain, shaped := fmt.Sprintf("%+v", events[0]), fmt.Sprintf("%+v", events[1]); plain != shaped { // as text: a NaN is a NaN
				t.Fatalf("seed %d, step %d:\n%s\nwith a shape\n%s", seed, i, plain, shaped)
			}
			found += len(events[0])
			a, err1 := json.Marshal(plain.engine)
			b, err2 := json.Marshal(shaped.engine)
			if err1 != nil || err2 != nil || string(a) != string(b) {
				t.Fatalf("seed %d: the states differ after step %d: %v %v\n%s\n%s", seed, i, err1, err2, a, b)
			}
		}
		if !slices.Equal(plain.engine.Unchecked(), shaped.engine.Unchecked()) {
			t.Errorf("seed %d: unchecked %v, with a shape %v", seed, plain.engine.Unchecked(), shaped.engine.Unchecked())
		}
	}
	if found < 100 {
		t.Errorf("only %d events: the runs are not strange", found)
	}
}
