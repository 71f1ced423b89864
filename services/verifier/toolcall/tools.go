package toolcall

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/provenir/provenir/internal/strictjson"
)

// Tool is a function that may be called.
type Tool struct {
	Name       string
	Parameters map[string]any // its JSON Schema; nil where it has none
}

// Tools are the functions of a task, by name.
type Tools map[string]Tool

// ReadTools reads the column tools: a list of {"name", "parameters"}, of {"type": "function", "function": {…}}, or of
// {"name", "input_schema"}.
func ReadTools(raw []byte) (Tools, error) {
	items, err := strictjson.Array(raw, limits)
	if err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	tools := make(Tools, len(items))
	for i, item := range items {
		v, err := value(item)
		if err != nil {
			return nil, fmt.Errorf("tools[%d]: %w", i, err)
		}
		m, _ := v.(map[string]any)
		if inner, ok := m["function"].(map[string]any); ok {
			m = inner
		}
		t := Tool{}
		t.Name, _ = m["name"].(string)
		if t.Name == "" {
			return nil, fmt.Errorf("tools[%d] has no name", i)
		}
		for _, key := range []string{"parameters", "input_schema", "inputSchema"} {
			if p, ok := m[key].(map[string]any); ok {
				t.Parameters = p
			}
		}
		if _, twice := tools[t.Name]; twice {
			return nil, fmt.Errorf("tools[%d]: %q is there twice", i, t.Name)
		}
		tools[t.Name] = t
	}
	return tools, nil
}

// property is the schema of a parameter; nil where it is not known.
func (t Tool) property(key string) map[string]any {
	properties, _ := t.Parameters["properties"].(map[string]any)
	p, _ := properties[key].(map[string]any)
	return p
}

func (t Tool) required() []string { return texts(t.Parameters["required"]) }

func texts(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, i := range items {
		if s, ok := i.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// types are what the schema of a parameter allows, in the names of JSON Schema.
func types(p map[string]any) []string {
	names := texts(p["type"])
	if s, ok := p["type"].(string); ok {
		names = []string{s}
	}
	for i, n := range names {
		names[i] = typeName(n)
	}
	return names
}

// typeName gives the names that function lists use their JSON Schema name.
func typeName(n string) string {
	switch strings.ToLower(n) {
	case "dict", "hashmap":
		return "object"
	case "float", "double", "long_float":
		return "number"
	case "tuple", "list", "arraylist":
		return "array"
	case "int", "long":
		return "integer"
	case "bool":
		return "boolean"
	case "str", "char":
		return "string"
	}
	return n
}

// typed converts a value that came as text by the function's schema. Where the schema is not known, or the text is not of
// its type, it stays text, and the check of types says so.
func (t Tools) typed(function, key, text string) any {
	tool, ok := t[function]
	if !ok {
		return text
	}
	names := types(tool.property(key))
	trimmed := strings.TrimSpace(text)
	for _, n := range names {
		if n == "string" {
			continue
		}
		if n == "boolean" && (trimmed == "True" || trimmed == "False") {
			return trimmed == "True"
		}
		if n == "null" && trimmed == "None" {
			return nil
		}
		raw, err := whole(trimmed)
		if err != nil {
			continue
		}
		if v, err := value(raw); err == nil && ofType(v, n) {
			return v
		}
	}
	return text
}

// ofType says whether a value is of a JSON Schema type. 1.0 is an integer to JSON Schema.
func ofType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		return name == "number" || name == "integer" && isInteger(v)
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}
