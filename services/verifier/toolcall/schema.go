package toolcall

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/provenir/provenir/services/verifier/schema"
)

// failure is why calls are not what was asked for: a reason of the verdict, and words.
type failure struct{ reason, detail string }

func fail(reason, format string, args ...any) *failure {
	return &failure{reason, fmt.Sprintf(format, args...)}
}

// valid checks the calls against the functions: known names, arguments that the schemas accept.
func (j *judge) valid(calls []Call, tools Tools) (*failure, error) {
	for _, c := range calls {
		tool, ok := tools[c.Name]
		if !ok {
			return fail("wrong_name", "no function %q", c.Name), nil
		}
		checker, err := j.checkers.get(tool)
		if err != nil {
			return nil, err
		}
		// The worst kind first: what is missing or unknown says more than a value that is off.
		reasons := map[schema.Rule]string{schema.Missing: "missing_required", schema.Unexpected: "unexpected_param", schema.Type: "type_error", schema.Value: "value_error"}
		broken := checker.Check(c.Arguments)
		for _, rule := range []schema.Rule{schema.Unexpected, schema.Missing, schema.Type, schema.Value} {
			for _, v := range broken {
				if v.Rule == rule {
					return fail(reasons[rule], "%s: %s", c.Name, v.Detail), nil
				}
			}
		}
	}
	return nil, nil //nolint:nilnil // nothing failed
}

// checkers keeps compiled schemas of parameters by their text: the rows of a data set share few.
type checkers struct {
	mu    sync.Mutex
	known map[string]*schema.Checker
}

const keptCheckers = 1024

func (c *checkers) get(t Tool) (*schema.Checker, error) {
	raw, err := json.Marshal(jsonSchema(t.Parameters))
	if err != nil {
		return nil, fmt.Errorf("parameters of %s: %w", t.Name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.known[string(raw)]; k != nil {
		return k, nil
	}
	k, err := schema.NewChecker(t.Name, raw)
	if err != nil {
		return nil, err
	}
	if c.known == nil || len(c.known) >= keptCheckers {
		c.known = map[string]*schema.Checker{}
	}
	c.known[string(raw)] = k
	return k, nil
}

// jsonSchema writes the parameters of a function as JSON Schema: their names of types become its own, and what is not
// declared is not allowed unless the schema says so. Optional marks like "default" are left alone.
func jsonSchema(parameters map[string]any) map[string]any {
	out, _ := translated(parameters, 0).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	out["type"] = "object"
	if _, said := out["additionalProperties"]; !said {
		out["additionalProperties"] = false
	}
	return out
}

const schemaDepth = 64

func translated(v any, depth int) any {
	if depth > schemaDepth {
		return v
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for key, item := range m {
		switch key {
		case "type":
			if names := types(m); len(names) == 1 && names[0] == "any" {
				continue
			} else if len(names) == 1 {
				item = names[0]
			} else if len(names) > 1 {
				item = names
			}
		case "properties", "patternProperties", "$defs", "definitions":
			inner, _ := item.(map[string]any)
			named := make(map[string]any, len(inner))
			for name, p := range inner {
				named[name] = translated(p, depth+1)
			}
			item = named
		case "items", "additionalProperties", "not":
			item = translated(item, depth+1)
		case "anyOf", "oneOf", "allOf", "prefixItems":
			if list, ok := item.([]any); ok {
				branches := make([]any, len(list))
				for i, b := range list {
					branches[i] = translated(b, depth+1)
				}
				item = branches
			}
		case "required":
			if _, isList := item.([]any); !isList { // "required": true of older lists
				continue
			}
		}
		out[key] = item
	}
	return out
}
