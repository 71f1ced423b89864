package slices

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

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
	for _, k := range automatic {
		raw, ok := in.Get(k)
		if _, named := out.GetSlices()[k]; named || !ok {
			continue
		}
		if text, err := value(raw); err == nil && text != "" { // a column of another meaning is none of ours
			out.Slices[k] = text
		}
	}
	var err error
	if out.Passed, err = passed(in); err != nil {
		return nil, err
	}
	if out.Length, err = length(in); err != nil {
		return nil, err
	}
	if len(out.GetSlices()) == 0 && out.Length == nil {
		return nil, fmt.Errorf("it has no slices, no length, no response, and --by names no column")
	}
	return out, nil
}

// automatic are columns that are dimensions without being asked for.
var automatic = []string{"source", "difficulty"}

// length is the column length, else the number of characters of the response.
func length(in *rows.Row) (*uint64, error) {
	if raw, ok := in.Get("length"); ok && string(raw) != "null" {
		n, err := strconv.ParseUint(text(raw), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("length: want a whole number of at least 0")
		}
		return &n, nil
	}
	var response string
	if raw, ok := in.Get("response"); ok && json.Unmarshal(raw, &response) == nil && string(raw) != "null" {
		n := uint64(utf8.RuneCountInString(response))
		return &n, nil
	}
	return nil, nil
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
