package export

import (
	"encoding/json"
	"io"
)

type jsonRun struct {
	Type      string   `json:"type"`
	Run       string   `json:"run"`
	Verdict   string   `json:"verdict"`
	Complete  bool     `json:"complete"`
	Steps     uint64   `json:"steps"`
	Attempts  uint32   `json:"attempts"`
	Unchecked []string `json:"unchecked"`
}

type jsonIncident struct {
	Type     string  `json:"type"`
	Incident string  `json:"incident"`
	Kind     string  `json:"kind"`
	Severity string  `json:"severity"`
	Metric   string  `json:"metric,omitempty"`
	Attempt  uint32  `json:"attempt"`
	Onset    uint64  `json:"onset_step"`
	Opened   uint64  `json:"opened_step"`
	Resolved *uint64 `json:"resolved_step,omitempty"`
	Detail   string  `json:"detail"`
}

type jsonPoint struct {
	Type      string   `json:"type"`
	Attempt   uint32   `json:"attempt"`
	Step      uint64   `json:"step"`
	Metric    string   `json:"metric"`
	Value     *float64 `json:"value,omitempty"`
	NonFinite string   `json:"non_finite,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	Estimator string   `json:"estimator,omitempty"`
	Reduction string   `json:"reduction,omitempty"`
	Unit      string   `json:"unit,omitempty"`
	N         uint64   `json:"n,omitempty"`
	RawKey    string   `json:"raw_key,omitempty"`
	Recorded  string   `json:"recorded_at,omitempty"`
}

// writeJSONL writes a line for the run, one an incident, one a value.
func writeJSONL(w io.Writer, r *Run) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	s := r.Summary
	head := jsonRun{Type: "run", Run: r.ID, Verdict: s.GetVerdict(), Complete: s.GetComplete(), Steps: s.GetSteps(), Attempts: s.GetAttempts(), Unchecked: s.GetUnchecked()}
	if head.Unchecked == nil {
		head.Unchecked = []string{}
	}
	if err := enc.Encode(head); err != nil {
		return err
	}
	for _, in := range r.Incidents {
		if err := enc.Encode(jsonIncident{"incident", in.ID, in.Kind, severity(in.Severity), in.Metric, in.Attempt, in.Onset, in.Opened, in.Resolved, in.Detail}); err != nil {
			return err
		}
	}
	for p, err := range r.Points {
		if err != nil {
			return err
		}
		if err := enc.Encode(jsonPointOf(p)); err != nil {
			return err
		}
	}
	return nil
}

func jsonPointOf(p Point) jsonPoint {
	out := jsonPoint{Type: "metric", Attempt: p.Attempt, Step: p.Step, Metric: p.Name, NonFinite: nonFinite(p.X), Scope: p.Scope,
		Estimator: p.Estimator, Reduction: p.Reduction, Unit: p.Unit, N: p.N, RawKey: p.Raw, Recorded: stamp(p.At)}
	if p.Finite() {
		out.Value = &p.X
	}
	return out
}
