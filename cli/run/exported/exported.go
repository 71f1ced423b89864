// Package exported reads the recorder's export in JSON lines, for those that send it elsewhere.
package exported

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Line is the run, an incident, or a value.
type Line struct {
	Type     string `json:"type"` // run, incident or metric
	Verdict  string `json:"verdict"`
	Complete bool   `json:"complete"`

	Incident string `json:"incident"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Opened   int64  `json:"opened_step"`
	Onset    int64  `json:"onset_step"`
	Resolved *int64 `json:"resolved_step"`
	Detail   string `json:"detail"`

	Attempt   uint32   `json:"attempt"`
	Step      int64    `json:"step"`
	Metric    string   `json:"metric"`
	Value     *float64 `json:"value"`
	NonFinite string   `json:"non_finite"` // the word for a value that is not finite
	Scope     string   `json:"scope"`
	Estimator string   `json:"estimator"`
	Reduction string   `json:"reduction"`
	Unit      string   `json:"unit"`
	Recorded  string   `json:"recorded_at"` // empty where the log timing does not say
}

// Each gives every line to take, in order. An export without the line of the run is an error.
func Each(in io.Reader, take func(Line) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), 16<<20)
	run := false
	for n := 1; s.Scan(); n++ {
		var l Line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return fmt.Errorf("line %d of the export: %w", n, err)
		}
		run = run || l.Type == "run"
		if err := take(l); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	if !run {
		return errors.New("the export is empty")
	}
	return nil
}
