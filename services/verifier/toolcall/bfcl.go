package toolcall

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// bfcl checks a call as the Berkeley Function-Calling Leaderboard does (gorilla, bfcl_eval, ast_checker), with types
// checked at every depth. Allowed values of a parameter are a list; "" in it means that the parameter may be missing.
func (e expectation) bfcl(c Call, tools Tools) (f *failure, weak bool) {
	if dotless(c.Name) != dotless(e.name) {
		return fail("wrong_name", "%s was called, not %s", c.Name, e.name), false
	}
	tool := tools.named(e.name)
	for _, k := range tool.required() {
		if _, there := c.Arguments[k]; !there {
			return fail("missing_required", "%s: %q is missing", c.Name, k), false
		}
	}
	for _, k := range sortedKeys(c.Arguments) {
		property := tool.property(k)
		allowed, known := e.arguments[k].([]any)
		if property == nil || !known {
			return fail("unexpected_param", "%s: %q was not expected", c.Name, k), false
		}
		v := c.Arguments[k]
		if !typeFits(v, property, allowed) {
			return fail("type_error", "%s: %q is of another type", c.Name, k), false
		}
		hit, loose := anyOf(v, allowed)
		if !hit {
			return fail("value_error", "%s: %q has another value", c.Name, k), false
		}
		weak = weak || loose
	}
	for _, k := range sortedKeys(e.arguments) {
		if _, there := c.Arguments[k]; !there && !mayBeMissing(e.arguments[k]) {
			return fail("missing_required", "%s: %q is missing", c.Name, k), false
		}
	}
	return nil, weak
}

// named finds a function; names are compared with dots as underscores, because some APIs take no dots.
func (t Tools) named(name string) Tool {
	if tool, ok := t[name]; ok {
		return tool
	}
	for _, k := range sortedKeys(t) {
		if dotless(k) == dotless(name) {
			return t[k]
		}
	}
	return Tool{}
}

func dotless(s string) string { return strings.ReplaceAll(s, ".", "_") }

func mayBeMissing(allowed any) bool {
	list, _ := allowed.([]any)
	return slices.ContainsFunc(list, func(v any) bool { return v == "" })
}

// typeFits holds a value against the declared type; or, where the allowed values are of another type than the declared
// one (they name a variable, say), against theirs.
func typeFits(v any, property map[string]any, allowed []any) bool {
	for _, name := range types(property) {
		if isOf(v, name) && elementsFit(v, property) {
			return true
		}
	}
	for _, a := range allowed {
		if a != "" && kindOf(a) == kindOf(v) && !isOfAny(a, types(property)) {
			return true
		}
	}
	return len(types(property)) == 0
}

func elementsFit(v any, property map[string]any) bool {
	items, isList := v.([]any)
	element, typed := property["items"].(map[string]any)
	if isList && typed {
		for _, item := range items {
			if names := types(element); len(names) > 0 && !isOfAny(item, names) || !elementsFit(item, element) {
				return false
			}
		}
	}
	m, isObject := v.(map[string]any)
	properties, typed := property["properties"].(map[string]any)
	if isObject && typed {
		for k, item := range m {
			p, _ := properties[k].(map[string]any)
			if names := types(p); len(names) > 0 && !isOfAny(item, names) || !elementsFit(item, p) {
				return false
			}
		}
	}
	return true
}

func isOfAny(v any, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return isOf(v, n) })
}

// isOf is Python's idea of types: an int is accepted for a float, a float never for an int, a bool for neither.
func isOf(v any, name string) bool {
	if n, ok := v.(json.Number); ok {
		return name == "number" || name == "integer" && writtenAsInteger(n) || name == "any"
	}
	return name == "any" || ofType(v, name)
}

func kindOf(v any) string {
	switch v := v.(type) {
	case json.Number:
		if writtenAsInteger(v) {
			return "int"
		}
		return "float"
	case string:
		return "str"
	case bool:
		return "bool"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	}
	return "none"
}

// anyOf says whether a value is among the allowed ones. weak tells that only the rule for strings made it so, between
// texts that are different numbers.
func anyOf(v any, allowed []any) (hit, weak bool) {
	for _, a := range allowed {
		if ok, loose := allows(a, v); ok {
			if !loose {
				return true, false
			}
			hit, weak = true, true
		}
	}
	return hit, weak
}

func allows(allowed, v any) (ok, weak bool) {
	switch v := v.(type) {
	case string:
		a, isText := allowed.(string)
		if !isText || normalised(a) != normalised(v) {
			return false, false
		}
		return true, differentNumbers(a, v)
	case []any:
		list, isList := allowed.([]any)
		if !isList || len(list) != len(v) {
			return false, false
		}
		for i := range v {
			hit, loose := allows(list[i], v[i])
			if !hit {
				return false, false
			}
			weak = weak || loose
		}
		return true, weak
	case map[string]any:
		return allowsObject(allowed, v)
	}
	return equal(allowed, v), false
}

// allowsObject holds an object against one whose values are lists of allowed values.
func allowsObject(allowed any, v map[string]any) (ok, weak bool) {
	m, isObject := allowed.(map[string]any)
	if !isObject {
		return false, false
	}
	for k, item := range v {
		choices, known := m[k].([]any)
		if !known {
			return false, false
		}
		hit, loose := anyOf(item, choices)
		if !hit {
			return false, false
		}
		weak = weak || loose
	}
	for k, choices := range m {
		if _, there := v[k]; !there && !mayBeMissing(choices) {
			return false, false
		}
	}
	return true, weak
}

// normalised is how the leaderboard compares strings: without the characters " ,./-_*^", in lower case, with one kind of
// quotes.
func normalised(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch r {
		case ' ', ',', '.', '/', '-', '_', '*', '^':
			return -1
		case '\'':
			return '"'
		}
		return r
	}, s))
}

// differentNumbers tells that two texts are numbers, and not the same one: 1.5 and 15 are equal once points are gone.
func differentNumbers(a, b string) bool {
	x, errA := strconv.ParseFloat(strings.TrimSpace(a), 64)
	y, errB := strconv.ParseFloat(strings.TrimSpace(b), 64)
	return errA == nil && errB == nil && x != y
}
