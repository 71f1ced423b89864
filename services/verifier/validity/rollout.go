package validity

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Rollout is a logged response to a task.
type Rollout struct {
	Task     string
	Response string
	Row      verdict.Row
	HeldOut  *float64 // how right it is by another, stricter judgement; nil where nobody judged
}

// Read reads {"task", "response", "heldout", …}; the other columns are the task's row.
func Read(raw []byte) (Rollout, error) {
	members, err := strictjson.Object(raw, strictjson.Limits{Bytes: 4 << 20})
	if err != nil {
		return Rollout{}, err
	}
	var r Rollout
	answered := false
	for _, m := range members {
		switch m.Key {
		case "task":
			if r.Task, err = verdict.Text(m.Value); err != nil {
				return r, fmt.Errorf("task: %w", err)
			}
		case "response":
			if r.Response, err = verdict.Text(m.Value); err != nil && !errors.Is(err, verdict.ErrNoReference) {
				return r, fmt.Errorf("response: %w", err)
			}
			answered = true
		case "heldout":
			if r.HeldOut, err = heldOut(m.Value); err != nil {
				return r, err
			}
		case "id":
		default:
			r.Row = append(r.Row, verdict.Field{Key: m.Key, JSON: m.Value})
		}
	}
	switch {
	case r.Task == "":
		return r, errors.New("a rollout needs task: what it was sampled for")
	case !answered:
		return r, errors.New("a rollout needs response")
	}
	return r, nil
}

func heldOut(raw []byte) (*float64, error) {
	switch string(raw) {
	case "null":
		return nil, nil //nolint:nilnil // absent
	case "true", "false":
		v := 0.0
		if raw[0] == 't' {
			v = 1
		}
		return &v, nil
	}
	var v float64
	if json.Unmarshal(raw, &v) != nil || math.IsNaN(v) || v < 0 || v > 1 {
		return nil, errors.New("heldout is true, false, or a number from 0 to 1; leave it out where nobody judged")
	}
	return &v, nil
}
