package spool

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/provenir/provenir/internal/strictjson"
)

// Number is a metric under the name that the caller gave it.
type Number struct {
	Key string
	X   float64 // may be NaN or infinite
}

// Float is a number that may be NaN or infinite.
type Float float64

// UnmarshalJSON reads a number, or one of the strings NaN, Infinity and -Infinity.
func (f *Float) UnmarshalJSON(b []byte) error {
	x, err := number(b)
	*f = Float(x)
	return err
}

// MetricError says which metric of a row is none.
type MetricError struct {
	Key string // empty where all of them are meant
	Err error
}

func (e *MetricError) Error() string {
	if e.Key == "" {
		return "metrics: " + e.Err.Error()
	}
	return "metrics." + e.Key + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *MetricError) Unwrap() error { return e.Err }

const (
	maxMetrics = 4096
	maxKey     = 256
)

func numbers(b []byte) ([]Number, error) {
	found, err := strictjson.Object(b, strictjson.Limits{Bytes: MaxRow})
	if err != nil {
		return nil, &MetricError{Err: err}
	}
	if len(found) > maxMetrics {
		return nil, &MetricError{Err: fmt.Errorf("%d in one row, at most %d", len(found), maxMetrics)}
	}
	out := make([]Number, len(found))
	for i, m := range found {
		if m.Key == "" || len(m.Key) > maxKey {
			return nil, &MetricError{Err: fmt.Errorf("a key has %d bytes; want 1 to %d", len(m.Key), maxKey)}
		}
		x, err := number(m.Value)
		if err != nil {
			return nil, &MetricError{m.Key, err}
		}
		out[i] = Number{Key: m.Key, X: x}
	}
	return out, nil
}

// number reads a value. Digits that are out of a float's range are infinite: over every limit, and no 0.
func number(b []byte) (float64, error) {
	if len(b) > 0 && b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return 0, err
		}
		switch text {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
		return 0, fmt.Errorf("%q is no number, NaN, Infinity or -Infinity", text)
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil && !math.IsInf(x, 0) {
		return 0, fmt.Errorf("%s is no number", b)
	}
	return x, nil
}
