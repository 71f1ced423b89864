package toolcall

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// matcher keys of an expected argument: {"$one_of": […]}, {"$near": {"value", "abs", "rel"}}, {"$regex": "…"},
// {"$text": "…"} (letters and digits only, in any case), {"$subset": {…} or […]}, {"$any": true}. Any other value must be equal.
func isMatcher(v any) (op string, arg any, ok bool) {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return "", nil, false
	}
	for op, arg = range m {
		return op, arg, strings.HasPrefix(op, "$")
	}
	return "", nil, false
}

// matches holds a value against what was expected. The error is a fault of the row.
func matches(got, want any) (bool, error) {
	op, arg, ok := isMatcher(want)
	if !ok {
		return matchesInside(got, want)
	}
	switch op {
	case "$any":
		return true, nil
	case "$one_of":
		choices, ok := arg.([]any)
		if !ok {
			return false, fmt.Errorf("$one_of takes a list")
		}
		for _, c := range choices {
			if hit, err := matches(got, c); hit || err != nil {
				return hit, err
			}
		}
		return false, nil
	case "$regex":
		pattern, ok := arg.(string)
		if !ok {
			return false, fmt.Errorf("$regex takes a pattern")
		}
		re, err := regexp.Compile(`\A(?s:` + pattern + `)\z`)
		if err != nil {
			return false, fmt.Errorf("$regex: %w", err)
		}
		s, isText := got.(string)
		return isText && re.MatchString(s), nil
	case "$text":
		text, ok := arg.(string)
		if !ok {
			return false, fmt.Errorf("$text takes a text")
		}
		s, isText := got.(string)
		return isText && normalised(s) == normalised(text), nil
	case "$near":
		return near(got, arg)
	case "$subset":
		return subset(got, arg)
	}
	return false, fmt.Errorf("no matcher %s", op)
}

// matchesInside is equality, with matchers allowed further down.
func matchesInside(got, want any) (bool, error) {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok || len(m) != len(want) {
			return false, nil
		}
		return subset(m, want)
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return false, nil
		}
		for i := range want {
			if hit, err := matches(l[i], want[i]); !hit || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return equal(got, want), nil
}

// subset asks for the keys of an object, or for the elements of a list in any places.
func subset(got, want any) (bool, error) {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return false, nil
		}
		for _, k := range sortedKeys(want) {
			v, there := m[k]
			if !there {
				return false, nil
			}
			if hit, err := matches(v, want[k]); !hit || err != nil {
				return false, err
			}
		}
		return true, nil
	case []any:
		l, ok := got.([]any)
		if !ok {
			return false, nil
		}
		pairs, err := pair(len(want), len(l), func(w, g int) (bool, error) { return matches(l[g], want[w]) })
		return err == nil && !slices.Contains(pairs, -1), err
	}
	return false, fmt.Errorf("$subset takes an object or a list")
}

func near(got, arg any) (bool, error) {
	m, _ := arg.(map[string]any)
	want, ok := float(m["value"])
	if !ok {
		return false, fmt.Errorf("$near takes value, and abs or rel")
	}
	abs, hasAbs := float(m["abs"])
	rel, hasRel := float(m["rel"])
	if !hasAbs && !hasRel || abs < 0 || rel < 0 {
		return false, fmt.Errorf("$near takes abs or rel, at least 0")
	}
	g, ok := float(got)
	return ok && math.Abs(g-want) <= max(abs, rel*math.Abs(want)), nil
}

func float(v any) (float64, bool) {
	n, ok := v.(interface{ Float64() (float64, error) }) // json.Number
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// arguments compares the arguments of a call with the expected ones: all of them, and no others.
func (e expectation) matches(c Call) (*failure, error) {
	if c.Name != e.name {
		return fail("wrong_name", "%s was called, not %s", c.Name, e.name), nil
	}
	for _, k := range sortedKeys(c.Arguments) {
		if _, there := e.arguments[k]; !there {
			return fail("unexpected_param", "%s: %q was not expected", c.Name, k), nil
		}
	}
	for _, k := range sortedKeys(e.arguments) {
		v, there := c.Arguments[k]
		if !there {
			if op, _, ok := isMatcher(e.arguments[k]); ok && op == "$any" {
				continue // any value, none included
			}
			return fail("missing_required", "%s: %q is missing", c.Name, k), nil
		}
		hit, err := matches(v, e.arguments[k])
		if err != nil {
			return nil, fmt.Errorf("expected argument %q: %w", k, err)
		}
		if !hit {
			return fail("value_error", "%s: %q has another value", c.Name, k), nil
		}
	}
	return nil, nil //nolint:nilnil // it matches
}
