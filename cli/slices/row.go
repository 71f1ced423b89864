package slices

import (
	"encoding/json"
	"fmt"
	"strconv"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
)

// row reads one verdict. What is missing is not made up: without passed it is unscored, without a value it is unknown.
func (o *options) row(in *rows.Row) (*recorderv1.SliceRow, error) {
	out := &recorderv1.SliceRow{Slices: map[string]string{}}
	if raw, ok := in.Get("slices"); ok && string(raw) != "null" {
		var dims map[string]json.RawMessage
		if json.Unmarshal(raw, &dims) != nil {
			return nil, fmt.Errorf("slices: want an object of dimensions and values")
		}
		for k, v := range dims {
			text, err := value(v)
			if err != nil {
				return nil, fmt.Errorf("slices.%s: %w", k, err)
			}
			out.Slices[k] = text
		}
	}
	for _, k := range o.by {
		raw, ok := in.Get(k)
		if !ok {
			raw = []byte("null")
		}
		text, err := value(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out.Slices[k] = text
	}
	if len(out.GetSlices()) == 0 {
		return nil, fmt.Errorf("it has no slices, and --by names no column")
	}
	var err error
	if out.Passed, err = passed(in); err != nil {
		return nil, err
	}
	if raw, ok := in.Get("length"); ok && string(raw) != "null" {
		n, err := strconv.ParseUint(text(raw), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("length: want a whole number of at least 0")
		}
		out.Length = &n
	}
	return out, nil
}

// value is a dimension's: a text, a number or a bool; null is unknown.
func value(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '{' || raw[0] == '[' {
		return "", fmt.Errorf("want a text, a number or a bool")
	}
	return text(raw), nil
}

// text is a scalar's; a CSV has no other.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func passed(in *rows.Row) (*bool, error) {
	if raw, ok := in.Get("status"); ok && text(raw) == "unscored" { // a line that `provenir verify` wrote
		return nil, nil
	}
	raw, ok := in.Get("passed")
	if !ok || string(raw) == "null" || text(raw) == "" {
		return nil, nil
	}
	switch text(raw) {
	case "true":
		yes := true
		return &yes, nil
	case "false":
		no := false
		return &no, nil
	}
	return nil, fmt.Errorf("passed: want true, false or null")
}
