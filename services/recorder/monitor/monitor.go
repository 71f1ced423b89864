// Package monitor is what the recorder knows of a run beyond its bytes: counts, newest metrics, detectors, incidents.
//
// It is a function of the events alone, in their order: observed again after a restart they give the same state, byte
// for byte, and the same findings with the same uids. What depends on a clock is not in here.
package monitor

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Monitor observes one run. It is not safe for concurrent use.
type Monitor struct {
	run     string
	spec    Spec
	stats   Stats
	channel channel
	forms   forms
	noted   *metric.Shape // stats.Metrics are the metrics of this shape, one by one
	engine  *detect.Engine
	tracker *incident.Tracker
}

// Spec is the run's settings, as a snapshot keeps them.
type Spec struct {
	Method   string             `json:"method"`
	Beta     *float64           `json:"beta,omitempty"`
	Limits   map[string]float64 `json:"limits,omitempty"`
	Disabled []string           `json:"disabled,omitempty"`
	Range    *float64           `json:"range,omitempty"`
	Model    string             `json:"model,omitempty"`
	// Iterations over one batch of rollouts; nil is unknown.
	Iterations *uint32 `json:"iterations,omitempty"`
	Truncated  bool    `json:"truncated,omitempty"` // tokens are sampled with top-p or top-k
}

// SpecOf reads the contract's message; nil gives the defaults.
func SpecOf(s *recorderv1.RecorderSpec) Spec {
	if s == nil {
		return Spec{}
	}
	return Spec{Method: s.GetMethod(), Beta: s.KlCoefficient, Limits: s.GetLimits(), Disabled: s.GetDisabled(), Range: s.RewardRange,
		Model: s.GetModel(), Iterations: s.NumIterations, Truncated: s.GetTruncatedSampling()}
}

// New begins a run. A setting that cannot be is a *detect.ConfigError, which names it.
func New(run string, spec Spec) (*Monitor, error) {
	p, err := detect.NewProfile(detect.Config{Method: spec.Method, Beta: spec.Beta, Limits: spec.Limits, Disabled: spec.Disabled, RewardRange: spec.Range,
		Model: spec.Model, NumIterations: spec.Iterations, TruncatedSampling: spec.Truncated})
	if err != nil {
		return nil, err
	}
	return &Monitor{run: run, spec: spec, engine: detect.NewEngine(p), tracker: incident.New(run)}, nil
}

// Next is the number of the event that is observed next.
func (m *Monitor) Next() uint64 { return m.stats.Next }

// Reads tells whether an event of this type needs its payload here. The others are only counted.
func Reads(t ledger.RecordType) bool {
	return t == ledger.Step || t == ledger.Config || t == ledger.Verdict || t == ledger.HeldoutVerdict
}

// Observe takes the next event. Events before Next were observed already and change nothing.
func (m *Monitor) Observe(seq uint64, t ledger.RecordType, payload []byte) []incident.Event {
	return m.ObserveHashed(seq, t, payload, ledger.Hash{})
}

// ObserveHashed is Observe for a caller that knows the payload's SHA-256; zero is unknown.
func (m *Monitor) ObserveHashed(seq uint64, t ledger.RecordType, payload []byte, digest ledger.Hash) []incident.Event {
	if seq < m.stats.Next {
		return nil
	}
	m.stats.Next, m.stats.LastType = seq+1, t
	switch t {
	case ledger.Rollout:
		m.stats.Rollouts++
	case ledger.Verdict:
		v := peekVerdict(payload)
		if v.unscored {
			m.stats.Unscored++
		}
		if v.timed {
			m.stats.TimeDependent++
		}
		m.channel.first(&v)
	case ledger.HeldoutVerdict:
		v := peekVerdict(payload)
		m.channel.second(&v)
	case ledger.Config:
		m.configured(payload)
	case ledger.Step:
		return m.step(seq, payload, digest)
	}
	return nil
}

// configured takes a stage's settings. Bytes that are no CONFIG record say nothing, and what nobody said is unchecked.
func (m *Monitor) configured(payload []byte) {
	var c orchestratorv1.ConfigRecord
	if proto.Unmarshal(payload, &c) != nil || len(c.GetEffective()) == 0 {
		return
	}
	differ := make([]detect.Difference, 0, len(c.GetDiffers()))
	for _, d := range c.GetDiffers() {
		differ = append(differ, detect.Difference{Field: d.GetPath(), Declared: d.GetDeclared(), Effective: d.GetEffective()})
	}
	m.engine.Configured(differ)
}

func (m *Monitor) step(seq uint64, payload []byte, digest ledger.Hash) []incident.Event {
	m.stats.Steps++
	if digest == (ledger.Hash{}) {
		digest = sha256.Sum256(payload)
	}
	r := readings.Get().(*reading)
	defer readings.Put(r)
	sample := &r.sample
	*sample = detect.Sample{Seq: seq, Digest: digest}
	if !r.decoder.sample(payload, sample, &m.forms) {
		var rec corev1.StepRecord
		var facts corev1.StepFacts
		err := proto.Unmarshal(payload, &rec)
		if err == nil {
			err = proto.Unmarshal(rec.GetFacts(), &facts)
		}
		if err != nil { // it is recorded as it came; that it cannot be read is a finding, and no reading of zeros
			m.channel.forget() // its verdicts are of no step that can be judged, and the next step has its own
			s := detect.Signal{Kind: "metric_invalid", Level: detect.Warn, Need: 1, Evidence: detect.Evidence{Note: "a STEP record cannot be read"}}
			return m.tracker.Step(incident.Place{Seq: seq, Step: m.stats.Step}, m.engine.Spans(), []detect.Signal{s})
		}
		sampleOf(&facts, sample)
	}
	m.stats.Step = sample.Step
	if values, changed := m.channel.values(sample.Values); changed {
		sample.Values, sample.Shape = values, nil
	}
	if sample.Shape == nil && !slices.IsSortedFunc(sample.Values, byName) {
		slices.SortStableFunc(sample.Values, byName)
	}
	m.lasts(sample)
	r.signals = m.engine.Step(r.signals[:0], sample, m.tracker.IsOpen)
	return m.tracker.Step(incident.Place{Seq: seq, Step: sample.Step, Attempt: sample.Attempt}, m.engine.Spans(), r.signals)
}

// reading is the room that one step needs while it is observed. A process needs some, however many runs it has.
type reading struct {
	decoder decoder
	sample  detect.Sample
	signals []detect.Signal
}

var readings = sync.Pool{New: func() any { return new(reading) }}

// lasts notes a step's values as the newest. Where the step has the names of the one before, only numbers are written.
func (m *Monitor) lasts(s *detect.Sample) {
	if s.Shape == nil || s.Shape != m.noted {
		m.stats.lasts(s.Values, s.Step)
		m.noted = nil
		if s.Shape != nil && s.Shape.Unique() && len(m.stats.Metrics) == len(s.Values) { // all of them are this step's
			m.noted = s.Shape
		}
		return
	}
	for i := range s.Values {
		m.stats.Metrics[i].number(&s.Values[i], s.Step)
	}
}

// Spec are the run's settings.
func (m *Monitor) Spec() Spec { return m.spec }

// Stats are the counts. The metrics are shared: read only.
func (m *Monitor) Stats() Stats { return m.stats }

// Incidents are the run's incidents.
func (m *Monitor) Incidents() *incident.Tracker { return m.tracker }

// Unchecked lists the kinds of which nothing can be said.
func (m *Monitor) Unchecked() []string { return m.engine.Unchecked() }

// Readable tells whether any detector has had a metric.
func (m *Monitor) Readable() bool { return m.engine.Reads() }

// Attempts is how many there were.
func (m *Monitor) Attempts() uint32 { return m.engine.Attempts() }

// snapshot is the payload of a DETECTOR_STATE record.
type snapshot struct {
	Spec    Spec            `json:"spec"`
	Stats   Stats           `json:"stats"`
	Channel channel         `json:"channel"`
	Engine  json.RawMessage `json:"engine"`
	Tracker json.RawMessage `json:"tracker"`
}

// Snapshot is the whole state. Equal states are equal bytes.
func (m *Monitor) Snapshot() ([]byte, error) {
	engine, err1 := json.Marshal(m.engine)
	tracker, err2 := json.Marshal(m.tracker)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("snapshot of run %s: %w", m.run, err)
	}
	return json.Marshal(snapshot{Spec: m.spec, Stats: m.stats, Channel: m.channel, Engine: engine, Tracker: tracker})
}

// Restore takes a state up. When the state is of other rules, the run begins again with its settings and the caller
// replays its events.
func Restore(run string, b []byte) (*Monitor, error) {
	var s snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("snapshot of run %s: %w", run, err)
	}
	m, err := New(run, s.Spec)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.Unmarshal(s.Engine, m.engine), json.Unmarshal(s.Tracker, m.tracker)); err != nil {
		return New(run, s.Spec)
	}
	m.stats, m.channel = s.Stats, s.Channel
	return m, nil
}
