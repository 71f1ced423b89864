package spec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Descriptor is what a verifier says of itself.
type Descriptor struct {
	Name    string
	Summary string // one line for people
	Options []Option
	Members bool // takes members and a reward expression
}

// Values are options with their defaults filled in, by name.
type Values map[string]any

// String gives a text or choice; empty where it is absent.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Flag gives a flag.
func (v Values) Flag(name string) bool { b, _ := v[name].(bool); return b }

// Int gives an integer.
func (v Values) Int(name string) int64 { i, _ := v[name].(int64); return i }

// Number gives a number and whether it is there.
func (v Values) Number(name string) (float64, bool) { f, ok := v[name].(float64); return f, ok }

// Texts gives a list.
func (v Values) Texts(name string) []string { l, _ := v[name].([]string); return l }

// Record gives an object.
func (v Values) Record(name string) map[string]string { m, _ := v[name].(map[string]string); return m }

// Resolve checks options against the table and fills in defaults. path names the spec in errors. The error is a
// *BadSpecError.
func (d *Descriptor) Resolve(path string, options map[string]any) (Values, error) {
	out := make(Values, len(d.Options))
	for i := range d.Options {
		o := &d.Options[i]
		raw, given := options[o.Name]
		switch {
		case given:
			v, ok := o.read(raw)
			if !ok {
				return nil, &BadSpecError{Path: path, Field: o.Name, Value: showValue(raw), Allowed: o.want()}
			}
			out[o.Name] = v
		case o.Required:
			return nil, &BadSpecError{Path: path, Field: o.Name, Value: "absent", Allowed: o.want()}
		case o.Default != nil:
			out[o.Name] = o.Default
		}
	}
	for name, v := range options {
		if _, known := out[name]; known {
			continue
		}
		return nil, &BadSpecError{Path: path, Field: "option " + name, Value: showValue(v), Allowed: d.optionNames(name)}
	}
	return out, nil
}

func (d *Descriptor) optionNames(near string) string {
	names := make([]string, len(d.Options))
	for i := range d.Options {
		names[i] = d.Options[i].Name
	}
	if len(names) == 0 {
		return "no options"
	}
	if n := Nearest(near, names); len(n) > 0 {
		return "did you mean " + strings.Join(n, " or ") + "? All: " + strings.Join(names, ", ")
	}
	return strings.Join(names, ", ")
}

func showValue(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v) // NaN has no JSON
	}
	if len(b) > 80 {
		return string(b[:80]) + "…"
	}
	return string(b)
}

// Schema is a JSON Schema of the options.
func (d *Descriptor) Schema() map[string]any {
	properties := map[string]any{}
	var required []any
	for i := range d.Options {
		o := &d.Options[i]
		properties[o.Name] = o.schema()
		if o.Required {
			required = append(required, o.Name)
		}
	}
	out := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": d.Name, "type": "object",
		"properties": properties, "additionalProperties": false,
	}
	if required != nil {
		out["required"] = required
	}
	return out
}

func (o *Option) schema() map[string]any {
	s := map[string]any{"description": o.Doc}
	switch o.Type {
	case Choice:
		s["enum"] = texts(o.Allowed)
	case Flag:
		s["type"] = "boolean"
	case Integer:
		s["type"] = "integer"
	case Number:
		s["type"] = "number"
	case Texts:
		s["type"] = "array"
		s["items"] = map[string]any{"type": "string", "minLength": 1.0}
	case Record:
		s["type"] = "object"
		s["propertyNames"] = map[string]any{"enum": texts(o.Allowed)}
	case Document:
		s["type"] = texts([]string{"object", "array", "string"})
	default:
		s["type"] = "string"
	}
	if o.Min != 0 || o.Max != 0 {
		s["minimum"], s["maximum"] = o.Min, o.Max
	}
	switch d := o.Default.(type) {
	case nil:
	case int64:
		s["default"] = float64(d)
	case []string:
		s["default"] = texts(d)
	case map[string]string: // an empty record says nothing
	default:
		s["default"] = d
	}
	return s
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// Nearest gives the names within a typing slip of word, nearest first.
func Nearest(word string, names []string) []string {
	type near struct {
		name string
		d    int
	}
	var found []near
	for _, n := range names {
		d := distance(word, n)
		if d <= max(2, len(word)/3) || (len(word) >= 3 && strings.HasPrefix(n, word)) {
			found = append(found, near{n, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.d - b.d })
	out := make([]string, 0, 3)
	for _, f := range found[:min(3, len(found))] {
		out = append(out, f.name)
	}
	return out
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
