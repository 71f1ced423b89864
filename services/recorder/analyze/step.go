package analyze

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// row takes a record in. It is judged when the next begins another step, since loggers write a step in several rows.
func (s *Session) row(r *record) {
	if kind := kindOf(r); kind != trainRow {
		if kind == evalRow {
			s.evaluation(r)
		}
		return
	}
	if !r.placed {
		if s.stepKey != "" {
			s.problem(Problem{Line: r.line, Code: "step_invalid", Detail: "the row has no " + s.stepKey})
			return
		}
		r.step = float64(s.steps) // a log without any step: rows are steps
		if s.last != nil {
			r.step++
		}
	}
	if r.step < 0 || r.step != math.Trunc(r.step) || r.step > 1<<53 {
		s.problem(Problem{Line: r.line, Code: "step_invalid", Key: s.stepKey, Detail: "a step is a whole number, at least 0"})
		return
	}
	if s.last != nil && s.last.step == r.step && r.placed {
		switch {
		case (s.steps == 0 || s.last.again) && !disjoint(s.last, r) && !equal(s.last, r): // a run of one step that was begun again
			r.again = true
		case equal(s.last, r):
			s.problem(Problem{Line: r.line, Code: "duplicate", Detail: "the row is the one before it"})
			return
		case disjoint(s.last, r):
			s.last.values, s.last.nulls = append(s.last.values, r.values...), append(s.last.nulls, r.nulls...)
			return
		}
	}
	if s.last != nil && r.step < s.last.step {
		r.again = true
	}
	s.judge()
	s.last = r
}

// evaluation keeps a held-out score that only evaluations have for the next step; other values of it are not judged, but
// one that is not finite is told.
func (s *Session) evaluation(r *record) {
	for _, v := range r.values {
		if math.IsNaN(v.X) || math.IsInf(v.X, 0) {
			s.problem(Problem{Line: r.line, Code: "non_finite", Key: v.Key, Detail: "the evaluation gave no finite number"})
		}
		if v.Key == s.roles.Heldout {
			x := v.X
			s.heldout, s.heard.heldout = &x, true
		}
	}
}

func equal(a, b *record) bool { return digest(a) == digest(b) }

func disjoint(a, b *record) bool {
	for _, v := range b.values {
		if slices.ContainsFunc(a.values, func(x metric.Raw) bool { return x.Key == v.Key }) {
			return false
		}
	}
	return len(b.values) > 0
}

// digest is of keys and numbers: clocks that a logger adds to a row do not make it another one.
func digest(r *record) [32]byte {
	values := slices.Clone(r.values)
	slices.SortFunc(values, func(a, b metric.Raw) int { return strings.Compare(a.Key, b.Key) })
	h := sha256.New()
	for _, v := range values {
		h.Write([]byte(v.Key))
		h.Write([]byte{0})
		h.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v.X)))
	}
	return [32]byte(h.Sum(nil))
}

// judge gives the held back step to the detectors.
func (s *Session) judge() {
	r := s.last
	if r == nil {
		return
	}
	s.last = nil
	if r.again {
		s.attempt++
		s.notes = append(s.notes, fmt.Sprintf("line %d goes back to step %.0f: a new attempt in the same file", r.line, r.step))
	}
	sample := &detect.Sample{Seq: s.steps, Step: uint64(r.step), Attempt: s.attempt, Digest: digest(r), Values: s.values(r)}
	for _, k := range r.nulls {
		// An engine that reports a reward and has none scored no rollout of the step. How many there were it does not say.
		if name, _ := s.mapper.Name(k); name == metric.RewardMean {
			sample.Rows = detect.Rows{Sampled: 1, Scored: 0, ScoredKnown: true}
		}
	}
	s.steps++
	signals := s.engine.Step(nil, sample, s.tracker.IsOpen)
	at := incident.Place{Seq: sample.Seq, Step: sample.Step, Attempt: s.attempt}
	for _, e := range s.tracker.Step(at, s.engine.Spans(), signals) {
		s.note(e)
		s.out.Events = append(s.out.Events, e)
	}
}

// values maps a row and puts the two channels under the names that the detector of their difference reads.
func (s *Session) values(r *record) []metric.Value {
	out := s.mapper.Row(r.values)
	heldout := s.heldout
	s.heldout = nil
	for _, v := range r.values {
		if v.Key == s.roles.Heldout {
			x := v.X
			heldout, s.heard.heldout = &x, true
		}
		s.heard.proxy = s.heard.proxy || v.Key == s.roles.Proxy
		name, _ := s.mapper.Name(v.Key)
		s.timed = s.timed || name == metric.StepSeconds
		if v.Key == s.roles.Proxy && name != metric.RewardMean {
			out = put(out, metric.Value{Name: metric.ProxyMean, Raw: v.Key, X: v.X})
		}
	}
	if heldout != nil {
		out = put(out, metric.Value{Name: metric.HeldoutMean, Raw: s.roles.Heldout, X: *heldout})
	}
	return out
}

// put adds a value in the order of names, unless the row has it already.
func put(values []metric.Value, v metric.Value) []metric.Value {
	i, found := slices.BinarySearchFunc(values, v, func(a, b metric.Value) int { return strings.Compare(a.Name, b.Name) })
	if found {
		return values
	}
	return slices.Insert(values, i, v)
}
