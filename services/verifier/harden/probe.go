package harden

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Probe is a response with its row, and what is right.
type Probe struct {
	Label      string
	Response   string
	Row        verdict.Row
	Reference  string // of the row, where it has one
	Prompt     string
	ShouldPass bool
}

// ReadProbe reads {"response", "reference", "should_pass", "label", …}, or a row {"solution", …}, whose solution should
// pass.
func ReadProbe(raw []byte) (Probe, error) {
	members, err := strictjson.Object(raw, strictjson.Limits{Bytes: 4 << 20})
	if err != nil {
		return Probe{}, err
	}
	var p Probe
	labelled, answered := false, false
	for _, m := range members {
		switch m.Key {
		case "response", "solution":
			if m.Key == "solution" && answered {
				break // a column of the row, beside a response
			}
			if p.Response, err = verdict.Text(m.Value); err != nil && !errors.Is(err, verdict.ErrNoReference) {
				return p, fmt.Errorf("%s: %w", m.Key, err)
			}
			if m.Key == "solution" && !labelled {
				p.ShouldPass = true
				labelled = true
			}
			answered = true
		case "should_pass":
			if json.Unmarshal(m.Value, &p.ShouldPass) != nil {
				return p, errors.New("should_pass is not true or false")
			}
			labelled = true
		case "label", "id":
			if s, err := verdict.Text(m.Value); err == nil && p.Label == "" {
				p.Label = s
			}
		}
		if !slices.Contains([]string{"response", "should_pass", "label"}, m.Key) {
			p.Row = append(p.Row, verdict.Field{Key: m.Key, JSON: m.Value})
		}
	}
	switch {
	case !answered:
		return p, errors.New("a probe needs response, or solution")
	case !labelled:
		return p, errors.New("a probe needs should_pass: whether a right verifier passes it")
	}
	p.Reference, p.Prompt = column(p.Row, "reference"), column(p.Row, "prompt")
	return p, nil
}

func column(row verdict.Row, key string) string {
	raw, ok := row.Get(key)
	if !ok {
		return ""
	}
	s, err := verdict.Text(raw)
	if err != nil {
		return ""
	}
	return s
}

// with is the row with another reference.
func with(row verdict.Row, reference string) verdict.Row {
	raw, err := json.Marshal(reference)
	if err != nil {
		return row
	}
	out := slices.Clone(row)
	for i := range out {
		if out[i].Key == "reference" {
			out[i].JSON = raw
			return out
		}
	}
	return append(out, verdict.Field{Key: "reference", JSON: raw})
}
