package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Type is what an option's value is.
type Type uint8

// The types of options.
const (
	Text     Type = iota + 1
	Choice        // one of Allowed
	Flag          // true or false
	Integer       // within Min and Max
	Number        // within Min and Max
	Texts         // a list of texts
	Record        // an object of texts
	Document      // any JSON object or array; its value is its JSON text
)

// Option is a row of a verifier's table of options.
type Option struct {
	Name     string
	Type     Type
	Default  any // nil for none: string, bool, int64, float64, []string or map[string]string
	Required bool
	Allowed  []string // of Choice; of the keys of Record
	Min, Max float64  // of Integer and Number; both 0 for no limit
	Doc      string
}

// want describes what an option takes, as errors say it.
func (o *Option) want() string {
	switch o.Type {
	case Choice:
		return strings.Join(o.Allowed, ", ")
	case Flag:
		return "true or false"
	case Integer, Number:
		kind := "an integer"
		if o.Type == Number {
			kind = "a finite number"
		}
		if o.Min == 0 && o.Max == 0 {
			return kind
		}
		return fmt.Sprintf("%s from %v to %v", kind, o.Min, o.Max)
	case Texts:
		return "a list of texts that are not empty"
	case Record:
		return "an object with texts under " + strings.Join(o.Allowed, ", ")
	case Document:
		return "a JSON object or array, or the text of one"
	default:
		return "a text"
	}
}

// read brings a value to the option's Go type; ok is false for what it does not take.
func (o *Option) read(v any) (out any, ok bool) {
	switch o.Type {
	case Text:
		out, ok = v.(string)
	case Choice:
		s, isText := v.(string)
		out, ok = s, isText && slices.Contains(o.Allowed, s)
	case Flag:
		out, ok = readFlag(v)
	case Integer:
		f, isNumber := readNumber(v)
		out, ok = int64(f), isNumber && f == math.Trunc(f) && math.Abs(f) < 1<<53 && o.within(f)
	case Number:
		f, isNumber := readNumber(v)
		out, ok = f, isNumber && o.within(f)
	case Texts:
		out, ok = readTexts(v)
	case Record:
		out, ok = o.readRecord(v)
	case Document:
		out, ok = readDocument(v)
	}
	return out, ok
}

func (o *Option) within(f float64) bool {
	return o.Min == 0 && o.Max == 0 || f >= o.Min && f <= o.Max
}

func readFlag(v any) (bool, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string: // spec text has no other types
		return v == "true", v == "true" || v == "false"
	default:
		return false, false
	}
}

func readNumber(v any) (float64, bool) {
	var f float64
	var err error
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	case int:
		f = float64(v)
	case json.Number:
		f, err = v.Float64()
	case string:
		f, err = strconv.ParseFloat(v, 64)
	default:
		return 0, false
	}
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// readTexts takes a list, or one text: a JSON list, or texts separated by commas.
func readTexts(v any) ([]string, bool) {
	var items []any
	switch v := v.(type) {
	case []string:
		for _, s := range v {
			items = append(items, s)
		}
	case []any:
		items = v
	case string:
		if strings.HasPrefix(v, "[") {
			if json.Unmarshal([]byte(v), &items) != nil {
				return nil, false
			}
			break
		}
		for s := range strings.SplitSeq(v, ",") {
			items = append(items, s)
		}
	default:
		return nil, false
	}
	out := make([]string, 0, len(items))
	for _, i := range items {
		s, ok := i.(string)
		if !ok || strings.TrimSpace(s) == "" {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

func (o *Option) readRecord(v any) (map[string]string, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	out := make(map[string]string, len(m))
	for k, item := range m {
		s, isText := item.(string)
		if !isText || s == "" || !slices.Contains(o.Allowed, k) {
			return nil, false
		}
		out[k] = s
	}
	return out, true
}

// readDocument takes an object or array, or its text. What comes decoded is written in the one way that encoding/json has,
// so that a digest does not depend on the order of keys in a file.
func readDocument(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "{") || strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "[")
	}
	switch v.(type) {
	case map[string]any, []any:
	default:
		return "", false
	}
	b, err := json.Marshal(v)
	return string(b), err == nil
}
