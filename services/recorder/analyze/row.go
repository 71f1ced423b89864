package analyze

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/provenir/provenir/internal/enginelog"
	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Problem is what cannot be used. The rest of the row goes on, unless the row itself is the problem.
type Problem struct {
	Line   uint64
	Code   string // bad_row, metric_invalid, step_invalid, duplicate
	Key    string
	Detail string
}

// record is a row as it was written: where it is, and its numbers.
type record struct {
	line   uint64
	step   float64
	placed bool // it says its step
	again  bool // it begins a new attempt
	values []metric.Raw
	nulls  []string // keys that are there without a value
}

const maxRow = 4 << 20

// parse reads a row. Wrappers that put the metrics under logs or data are opened. A row that is no object is a problem of
// code bad_row and gives none.
func (s *Session) parse(line uint64, text []byte) (*record, []Problem) {
	text, _ = enginelog.QuoteNonFinite(text)
	members, err := strictjson.Object(text, strictjson.Limits{Bytes: maxRow})
	if err != nil {
		return nil, []Problem{{Line: line, Code: "bad_row", Detail: err.Error()}}
	}
	r := &record{line: line}
	var problems []Problem
	for _, m := range members {
		if wrapper(m.Key) && len(m.Value) > 0 && m.Value[0] == '{' {
			inner, err := strictjson.Object(m.Value, strictjson.Limits{Bytes: maxRow})
			if err != nil {
				return nil, []Problem{{Line: line, Code: "bad_row", Key: m.Key, Detail: err.Error()}}
			}
			for _, x := range inner {
				problems = s.member(r, x.Key, x.Value, problems)
			}
			continue
		}
		problems = s.member(r, m.Key, m.Value, problems)
	}
	return r, problems
}

func wrapper(key string) bool { return key == "logs" || key == "data" || key == "metrics" }

func (s *Session) member(r *record, key string, value []byte, problems []Problem) []Problem {
	n, kind := number(value)
	switch {
	case position(key):
		if stepRank(key) >= 0 && (!r.placed || stepRank(key) < stepRank(s.stepKey)) {
			if kind != finite && kind != coerced { // tables write every number as text
				return append(problems, Problem{Line: r.line, Code: "step_invalid", Key: key, Detail: fmt.Sprintf("%s is no step", clip(value))})
			}
			r.step, r.placed, s.stepKey = n, true, key
		}
	case kind == absent:
		r.nulls = append(r.nulls, key)
	case kind == coerced || kind == finite || kind == nonFinite:
		if kind == coerced {
			s.coerced++
		}
		r.values = append(r.values, metric.Raw{Key: key, X: n})
	case kind == label:
		if _, known := metric.Lookup(key); known || s.known(key) {
			return append(problems, Problem{Line: r.line, Code: "metric_invalid", Key: key, Detail: fmt.Sprintf("%s is no number", clip(value))})
		} // a name or a date: no metric
	default:
		return append(problems, Problem{Line: r.line, Code: "metric_invalid", Key: key, Detail: fmt.Sprintf("%s is no number", clip(value))})
	}
	return problems
}

type kind uint8

const (
	invalid kind = iota // true, a list, an object
	finite
	coerced   // a number written as text
	nonFinite // NaN or infinite, or out of a float's range
	absent    // null
	label     // a text that is no number
)

// number reads a value. A number too large for a float is infinite: it is over every limit, and no 0.
func number(value []byte) (float64, kind) {
	switch {
	case string(value) == "null":
		return 0, absent
	case len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 't' || value[0] == 'f':
		return 0, invalid
	case value[0] != '"':
		x, err := strconv.ParseFloat(string(value), 64)
		if err != nil && !math.IsInf(x, 0) {
			return 0, invalid
		}
		if math.IsInf(x, 0) {
			return x, nonFinite
		}
		return x, finite
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return 0, invalid
	}
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "xXpP_") { // Go's other notations are no numbers of a log
		return 0, label
	}
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return 0, absent // an empty cell of a table
	case strings.TrimPrefix(text, "-") == "NaN" || math.IsNaN(x) && err == nil:
		return math.NaN(), nonFinite
	case math.IsInf(x, 0):
		return x, nonFinite
	case err != nil:
		return 0, label
	}
	return x, coerced
}

func clip(b []byte) string {
	const most = 40
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}
