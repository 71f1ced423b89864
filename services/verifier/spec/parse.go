package spec

import (
	"fmt"
	"strings"
)

// maxText bounds a spec's text: whoever needs more writes a file.
const maxText = 64 << 10

// ParseText reads name or name:option=value,option="value, with commas". Within quotes \" is a quote and \\ a
// backslash; any other backslash stays, so that patterns can be written as they are. The error is a *BadSpecError.
func ParseText(text string) (Spec, error) {
	name, rest, hasOptions := strings.Cut(strings.TrimSpace(text), ":")
	bad := func(field, value, allowed string) (Spec, error) {
		return Spec{}, &BadSpecError{Path: shorten(text), Field: field, Value: value, Allowed: allowed}
	}
	if len(text) > maxText {
		return bad("length", fmt.Sprint(len(text)), fmt.Sprintf("at most %d bytes; use a file", maxText))
	}
	if !isName(name) {
		return bad("name", fmt.Sprintf("%q", shorten(name)), "letters, digits and _, as in math or exact_answer")
	}
	s := Spec{Name: name}
	if !hasOptions {
		return s, nil
	}
	s.Options = map[string]any{}
	for rest != "" {
		option, after, ok := strings.Cut(rest, "=")
		option = strings.TrimSpace(option)
		if !ok || !isName(option) {
			return bad("options", fmt.Sprintf("%q", shorten(rest)), `option=value, separated by commas; quote a value that has a comma: pattern="a,b"`)
		}
		if _, twice := s.Options[option]; twice {
			return bad("option "+option, "given twice", "once")
		}
		value, tail, err := readValue(after)
		if err != "" {
			return bad("option "+option, fmt.Sprintf("%q", shorten(after)), err)
		}
		s.Options[option] = value
		if tail == "" {
			return s, nil
		}
		rest = tail[1:] // a comma
		if strings.TrimSpace(rest) == "" {
			return bad("options", `","`, "an option after the comma")
		}
	}
	return bad("options", "empty", "option=value after the colon, or no colon")
}

// readValue reads up to the comma that ends the value, or the end; bad says what is wrong.
func readValue(s string) (value, tail, bad string) {
	if !strings.HasPrefix(s, `"`) {
		if strings.HasPrefix(s, "[") { // a JSON list has commas of its own
			if end := strings.LastIndex(s, "]"); end > 0 && (end == len(s)-1 || s[end+1] == ',') {
				return s[:end+1], s[end+1:], ""
			}
		}
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), s[end:], ""
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
				return "", "", "a comma or the end after the closing quote"
			}
			return out.String(), tail, ""
		default:
			out.WriteByte(s[i])
		}
	}
	return "", "", "a closing quote"
}

func isName(s string) bool {
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
