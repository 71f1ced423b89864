package env

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/toolcall"
)

// maxCalls bounds the calls of one action.
const maxCalls = 16

// plan is what an action asks for: calls, or the final answer, or neither and why.
type plan struct {
	calls  []toolcall.Call
	final  bool
	answer string
	wrong  string
}

func wrongf(format string, args ...any) plan { return plan{wrong: fmt.Sprintf(format, args...)} }

// read decides what an action asks for. Whatever has a call in it that cannot be carried out is an error and never a
// final answer: else a typo would end the episode. All calls are checked before one is carried out.
func (e *Environment) read(action string) plan {
	p := toolcall.Parse(action, "auto", e.known)
	switch {
	case p.Outcome == toolcall.Malformed:
		return wrongf("malformed_call: %s", p.Reason)
	case p.Outcome == toolcall.None:
		return plan{final: true, answer: action}
	case len(p.Calls) > maxCalls:
		return wrongf("too_many_calls: %d calls in one action, at most %d", len(p.Calls), maxCalls)
	}
	for _, c := range p.Calls {
		if wrong := e.check(c); wrong != "" {
			return plan{wrong: wrong}
		}
		if c.Name != toolAnswer && c.Name != toolSubmit {
			continue
		}
		if len(p.Calls) > 1 {
			return wrongf("bad_arguments: %s ends the episode and comes alone", c.Name)
		}
		return plan{final: true, answer: " #### " + written(c.Arguments["answer"])}
	}
	return plan{calls: p.Calls}
}

// check says what is wrong with a call; nothing where it can be carried out.
func (e *Environment) check(c toolcall.Call) string {
	checker := e.checkers[c.Name]
	if checker == nil {
		return fmt.Sprintf("unknown_tool: there is no tool %q; there are: %s", shown(c.Name, 80), strings.Join(e.names(), ", "))
	}
	if key := reservedKey(c.Arguments); key != "" {
		return fmt.Sprintf("reserved_key: %q is not an argument of yours", shown(key, 80))
	}
	args := c.Arguments
	if args == nil {
		args = map[string]any{}
	}
	if violations := checker.Check(args); len(violations) > 0 {
		return fmt.Sprintf("bad_arguments: %s: %s", c.Name, violations[0].Detail)
	}
	return ""
}

// reservedKey finds a key such as __state__, at any depth: hosts of tools pass their own state under such names, and a
// policy that gives one would speak in the host's voice.
func reservedKey(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys) // the same words on every repeat
		for _, k := range keys {
			if strings.HasPrefix(k, "__") {
				return k
			}
			if inner := reservedKey(v[k]); inner != "" {
				return inner
			}
		}
	case []any:
		for _, item := range v {
			if inner := reservedKey(item); inner != "" {
				return inner
			}
		}
	}
	return ""
}

// written is an answer as text; the schema lets through text, numbers and booleans.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}
