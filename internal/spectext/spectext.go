// Package spectext reads a verifier as people write it in one line: name, or name:option=value,option="value, with commas".
// The command line and the verifier read the same text, so one grammar is here for both.
package spectext

import (
	"fmt"
	"strconv"
	"strings"
)

// maxText bounds a spec's text: whoever needs more writes a file.
const maxText = 64 << 10

// Error says what is wrong with a text and what would be right.
type Error struct {
	Spec, Field, Value, Allowed string
}

func (e *Error) Error() string {
	return fmt.Sprintf("spec %s: %s is %s; allowed: %s", e.Spec, e.Field, e.Value, e.Allowed)
}

// Value is what an option is set to.
type Value struct {
	Text   string
	Quoted bool // it is text, whatever it looks like
}

// Scalar is a boolean or a number where the text is one and nothing else, and the text where it is not: what a number would
// not be written as again ("1e3", an integer of twenty digits, "nan") stays as it was written.
func (v Value) Scalar() any {
	if v.Quoted {
		return v.Text
	}
	if v.Text == "true" || v.Text == "false" {
		return v.Text == "true"
	}
	if x, err := strconv.ParseFloat(v.Text, 64); err == nil && strconv.FormatFloat(x, 'f', -1, 64) == v.Text {
		return x
	}
	return v.Text
}

// Parse reads a text. Within quotes \" is a quote and \\ a backslash; any other backslash stays, so that patterns can be
// written as they are. options is nil where there is no colon. The error is an *Error.
func Parse(text string) (name string, options map[string]Value, err error) {
	name, rest, hasOptions := strings.Cut(strings.TrimSpace(text), ":")
	bad := func(field, value, allowed string) (string, map[string]Value, error) {
		return "", nil, &Error{Spec: shorten(text), Field: field, Value: value, Allowed: allowed}
	}
	if len(text) > maxText {
		return bad("length", fmt.Sprint(len(text)), fmt.Sprintf("at most %d bytes; use a file", maxText))
	}
	if !IsName(name) {
		return bad("name", fmt.Sprintf("%q", shorten(name)), "letters, digits and _, as in math or exact_answer")
	}
	if !hasOptions {
		return name, nil, nil
	}
	options = map[string]Value{}
	for rest != "" {
		option, after, ok := strings.Cut(rest, "=")
		option = strings.TrimSpace(option)
		if !ok || !IsName(option) {
			return bad("options", fmt.Sprintf("%q", shorten(rest)), `option=value, separated by commas; quote a value that has a comma: pattern="a,b"`)
		}
		if _, twice := options[option]; twice {
			return bad("option "+option, "given twice", "once")
		}
		value, tail, wrong := readValue(after)
		if wrong != "" {
			return bad("option "+option, fmt.Sprintf("%q", shorten(after)), wrong)
		}
		options[option] = value
		if tail == "" {
			return name, options, nil
		}
		rest = tail[1:] // a comma
		if strings.TrimSpace(rest) == "" {
			return bad("options", `","`, "an option after the comma")
		}
	}
	return bad("options", "empty", "option=value after the colon, or no colon")
}

// readValue reads up to the comma that ends the value, or the end; bad says what is wrong.
func readValue(s string) (value Value, tail, bad string) {
	if !strings.HasPrefix(s, `"`) {
		if strings.HasPrefix(s, "[") { // a JSON list has commas of its own
			if end := strings.LastIndex(s, "]"); end > 0 && (end == len(s)-1 || s[end+1] == ',') {
				return Value{Text: s[:end+1]}, s[end+1:], ""
			}
		}
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		return Value{Text: strings.TrimSpace(s[:end])}, s[end:], ""
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			out.WriteByte(s[i])
		case s[i] == '"':
			tail = strings.TrimLeft(s[i+1:], " ")
			if tail != "" && tail[0] != ',' {
				return Value{}, "", "a comma or the end after the closing quote"
			}
			return Value{out.String(), true}, tail, ""
		default:
			out.WriteByte(s[i])
		}
	}
	return Value{}, "", "a closing quote"
}

// IsName tells whether a text can name a verifier or an option.
func IsName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
