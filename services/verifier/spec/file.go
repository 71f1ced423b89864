package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/goccy/go-yaml"

	"github.com/provenir/provenir/services/verifier/reward"
)

// maxFile bounds a spec file, and maxNesting how deep members may nest: a YAML file can be small and deep.
const (
	maxFile    = 1 << 20
	maxNesting = 8
)

// ParseFile reads YAML or JSON; JSON is read as the YAML that it is. Keys that are not name, options, members, reward,
// weight or required count as options, so that composite's mode and threshold stand beside its members. A key twice is
// an error. The error is a *BadSpecError.
func ParseFile(b []byte) (Spec, error) {
	bad := func(value, allowed string) (Spec, error) {
		return Spec{}, &BadSpecError{Path: "file", Field: "content", Value: value, Allowed: allowed}
	}
	if len(b) > maxFile {
		return bad(fmt.Sprintf("%d bytes", len(b)), fmt.Sprintf("at most %d", maxFile))
	}
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	var doc, more any
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return bad("empty", "a mapping with name")
		}
		return bad("not YAML: "+yaml.FormatError(err, false, false), "YAML or JSON")
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return bad("more than one document", "one")
	}
	return FromValue(doc)
}

// FromValue reads a decoded document: a text, or an object as in ParseFile.
func FromValue(doc any) (Spec, error) { return fromValue(doc, "file", 0) }

func fromValue(doc any, path string, depth int) (Spec, error) {
	bad := func(field string, value any, allowed string) (Spec, error) {
		return Spec{}, &BadSpecError{Path: path, Field: field, Value: showValue(value), Allowed: allowed}
	}
	if depth > maxNesting {
		return bad("members", "nested too deep", fmt.Sprintf("%d levels", maxNesting))
	}
	if text, ok := doc.(string); ok {
		return ParseText(text)
	}
	m, ok := doc.(map[string]any)
	if !ok {
		return bad("content", doc, "a mapping with name, or spec text")
	}
	var s Spec
	if s.Name, ok = m["name"].(string); !ok || !isName(s.Name) {
		return bad("name", m["name"], "the name of a verifier")
	}
	path = s.Name
	s.Options = map[string]any{}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys) // so that of several errors always the same one is told
	for _, key := range keys {
		value := m[key]
		switch key {
		case "name":
		case "options":
			options, ok := value.(map[string]any)
			if !ok {
				return bad("options", value, "a mapping")
			}
			for k, v := range options {
				if _, twice := m[k]; twice && !reserved[k] {
					return bad("option "+k, v, "either under options or beside name, not both")
				}
				s.Options[k] = v
			}
		case "members":
			list, ok := value.([]any)
			if !ok {
				return bad("members", value, "a list of specs")
			}
			for i, item := range list {
				member, err := fromValue(item, fmt.Sprintf("%s.members[%d]", path, i), depth+1)
				if err != nil {
					return Spec{}, err
				}
				s.Members = append(s.Members, member)
			}
		case "reward":
			e, err := rewardFrom(value)
			if err != nil {
				return Spec{}, err
			}
			s.Reward = e
		case "weight":
			w, ok := readNumber(value)
			if !ok || w < 0 {
				return bad("weight", value, "a finite number, at least 0")
			}
			s.Weight = &w
		case "required":
			if s.Required, ok = value.(bool); !ok {
				return bad("required", value, "true or false")
			}
		default:
			s.Options[key] = value
		}
	}
	return s, nil
}

var reserved = map[string]bool{"name": true, "options": true, "members": true, "reward": true, "weight": true, "required": true}

// rewardFrom reads an expression; of stands for parts (one or a list), and {member: 1} for {op: member, member: 1}.
func rewardFrom(v any) (*reward.Expr, error) {
	v, err := spread(v, 0)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &BadSpecError{Path: "file", Field: "reward", Value: err.Error(), Allowed: "a reward expression"}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var e reward.Expr
	if err := d.Decode(&e); err != nil {
		return nil, &BadSpecError{Path: "file", Field: "reward", Value: err.Error(),
			Allowed: "op, of or parts, member, value, weights, when, threshold, lo, hi, max_tokens, cache_tokens, unnormalised, nan_value"}
	}
	return &e, nil
}

func spread(v any, depth int) (any, error) {
	m, ok := v.(map[string]any)
	if !ok || depth > 64 {
		return nil, &BadSpecError{Path: "file", Field: "reward", Value: showValue(v), Allowed: "a mapping with op: " + reward.Ops}
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	if _, hasOp := out["op"]; !hasOp {
		if _, isMember := out["member"]; isMember {
			out["op"] = reward.OpMember
		}
	}
	if of, has := out["of"]; has {
		if _, both := out["parts"]; both {
			return nil, &BadSpecError{Path: "file", Field: "reward", Value: "of and parts", Allowed: "one of them"}
		}
		delete(out, "of")
		if _, isList := of.([]any); !isList {
			of = []any{of}
		}
		out["parts"] = of
	}
	if parts, has := out["parts"]; has {
		list, ok := parts.([]any)
		if !ok {
			return nil, &BadSpecError{Path: "file", Field: "reward.parts", Value: showValue(parts), Allowed: "a list"}
		}
		plain := make([]any, len(list))
		for i, p := range list {
			var err error
			if plain[i], err = spread(p, depth+1); err != nil {
				return nil, err
			}
		}
		out["parts"] = plain
	}
	if when, has := out["when"]; has {
		var err error
		if out["when"], err = spread(when, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
