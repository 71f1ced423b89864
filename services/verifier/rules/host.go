package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/provenir/provenir/internal/strictjson"
	"github.com/provenir/provenir/services/verifier/math"
	"github.com/provenir/provenir/services/verifier/schema"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/toolcall"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// hostOf are the functions that a program may call.
func hostOf() (starlark.StringDict, error) {
	d := math.Descriptor()
	options, err := d.Resolve(math.Name, map[string]any{"profile": "whole"})
	if err != nil {
		return nil, err
	}
	equal, err := math.New(math.Name, options)
	if err != nil {
		return nil, err
	}
	out := starlark.StringDict{}
	for name, f := range map[string]func(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error){
		"math_equal":   mathEqual(equal),
		"extract":      extractAnswer,
		"json_parse":   jsonParse,
		"schema_valid": schemaValid,
		"re_match":     reMatch,
		"words":        words,
		"tool_calls":   toolCalls,
	} {
		out[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return f(b, args, kwargs)
		})
	}
	return out, nil
}

// mathEqual is math_equal(answer, reference): whether the verifier math holds them equal, each read as a whole.
func mathEqual(equal verdict.Judge) func(*starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var answer, reference string
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "answer", &answer, "reference", &reference); err != nil {
			return nil, err
		}
		raw, err := json.Marshal(reference)
		if err != nil {
			return nil, err
		}
		v := equal.Judge(&verdict.Candidate{Response: answer, Row: verdict.Row{{Key: "reference", JSON: raw}}})
		if u, unscored := v.Unscored(); unscored {
			return nil, fmt.Errorf("math_equal: %s: %s", u.Reason, u.Detail)
		}
		return starlark.Bool(v.Passed()), nil
	}
}

// extractAnswer is extract(text, profile="last_boxed"): the best place for an answer, empty where there is none.
func extractAnswer(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	text, profile := "", string(extract.LastBoxed)
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text, "profile?", &profile); err != nil {
		return nil, err
	}
	if !slices.Contains(extract.Profiles(), profile) {
		return nil, fmt.Errorf("extract: no profile %q; known are %s", profile, strings.Join(extract.Profiles(), ", "))
	}
	found := extract.In(text, extract.Profile(profile))
	out := ""
	found.Each(func(p extract.Piece) bool {
		out = p.Text
		return false
	})
	return starlark.String(out), nil
}

// jsonParse is json_parse(text, default=None): the value, or default where the text is not JSON. It is no error: the text
// is the candidate's, who must not choose to be unscored.
func jsonParse(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	var otherwise starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text, "default?", &otherwise); err != nil {
		return nil, err
	}
	if strictjson.Check([]byte(text), strictjson.Limits{}) != nil {
		return otherwise, nil
	}
	v, err := decode([]byte(text))
	if err != nil {
		return otherwise, nil //nolint:nilerr // a number beyond a float is not read either
	}
	return v, nil
}

// schemaValid is schema_valid(schema, value): schema is a dict or its JSON text.
func schemaValid(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var document, value starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "schema", &document, "value", &value); err != nil {
		return nil, err
	}
	raw, isText := starlark.AsString(document)
	if !isText {
		v, err := fromStarlark(document, 0)
		if err != nil {
			return nil, fmt.Errorf("schema_valid: the schema: %w", err)
		}
		j, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("schema_valid: the schema: %w", err)
		}
		raw = string(j)
	}
	checker, err := schema.NewChecker("schema_valid", []byte(raw))
	if err != nil {
		return nil, err
	}
	v, err := fromStarlark(value, 0)
	if err != nil {
		return nil, fmt.Errorf("schema_valid: the value: %w", err)
	}
	return starlark.Bool(len(checker.Check(v)) == 0), nil
}

// reMatch is re_match(pattern, text): whether an RE2 pattern occurs.
func reMatch(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var pattern, text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "pattern", &pattern, "text", &text); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("re_match: %w", err)
	}
	return starlark.Bool(re.MatchString(text)), nil
}

// words is words(text): what stands between blanks.
func words(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	var out []starlark.Value
	for w := range strings.FieldsSeq(text) {
		out = append(out, starlark.String(w))
	}
	return starlark.NewList(out), nil
}

// toolCalls is tool_calls(text, format="auto"): {"outcome", "calls": [{"name", "arguments"}]}.
func toolCalls(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	text, format := "", "auto"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text, "format?", &format); err != nil {
		return nil, err
	}
	if format != "auto" && !slices.Contains(toolcall.Formats(), format) {
		return nil, errors.New("tool_calls: no format " + format)
	}
	p := toolcall.Parse(text, format, nil)
	calls := make([]any, len(p.Calls))
	for i, c := range p.Calls {
		calls[i] = map[string]any{"name": c.Name, "arguments": c.Arguments}
	}
	return toStarlark(map[string]any{"outcome": string(p.Outcome), "calls": calls})
}
