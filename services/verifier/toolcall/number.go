package toolcall

import (
	"encoding/json"
	"strconv"
	"strings"
)

// decimal is a number without a choice of spelling: sign, digits without zeros at either end, and the power of ten of the
// last digit. Comparing decimals is exact and takes no more than the text is long, whatever the exponent.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

func decimalOf(n json.Number) decimal {
	s := string(n)
	var d decimal
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		d.negative, s = true, rest
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.ParseInt(s[i+1:], 10, 62)
		if err != nil { // larger than any exponent that anybody means: kept apart from all others
			e = 1 << 60
			if strings.HasPrefix(s[i+1:], "-") {
				e = -e
			}
		}
		d.exponent, s = e, s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	d.exponent -= int64(len(fraction))
	d.digits = strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += int64(len(d.digits) - len(trimmed))
	d.digits = trimmed
	if trimmed == "" { // zero has one spelling
		return decimal{}
	}
	return d
}

func equalNumbers(a, b json.Number) bool { return a == b || decimalOf(a) == decimalOf(b) }

// isInteger says whether the value is one: 1.0 is.
func isInteger(n json.Number) bool { return decimalOf(n).exponent >= 0 }

// writtenAsInteger says whether it has neither point nor exponent, which is what makes an int of Python.
func writtenAsInteger(n json.Number) bool { return !strings.ContainsAny(string(n), ".eE") }

// equal compares JSON values: numbers by value, objects without order. true is never 1.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, ok := b.(json.Number)
		return ok && equalNumbers(a, n)
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			return false
		}
		for i := range a {
			if !equal(a[i], l[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok || len(m) != len(a) {
			return false
		}
		for k, v := range a {
			other, there := m[k]
			if !there || !equal(v, other) {
				return false
			}
		}
		return true
	}
	return a == b
}
