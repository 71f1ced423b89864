package enginelog

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// QuoteNonFinite writes the bare tokens NaN, Infinity and -Infinity as strings. Python's json module writes them, and
// they are no JSON: a strict reader would lose the whole row, and with it the only sign that a reward was infinite. ok is
// false where the text had none, and out is the text itself.
func QuoteNonFinite(in []byte) (out []byte, found bool) {
	if !bytes.Contains(in, []byte("NaN")) && !bytes.Contains(in, []byte("Infinity")) {
		return in, false
	}
	for i := 0; i < len(in); {
		switch c := in[i]; {
		case c == '"':
			end := stringEnd(in, i)
			out = append(out, in[i:end]...)
			i = end
		case c == 'N' || c == 'I' || c == '-':
			token := nonFiniteToken(in[i:])
			if token == "" {
				out = append(out, c)
				i++
				break
			}
			out = append(append(append(out, '"'), token...), '"')
			i += len(token)
			found = true
		default:
			out = append(out, c)
			i++
		}
	}
	return out, found
}

func nonFiniteToken(in []byte) string {
	for _, t := range []string{"NaN", "Infinity", "-Infinity", "-NaN"} {
		if rest, ok := bytes.CutPrefix(in, []byte(t)); ok {
			if r, _ := utf8.DecodeRune(rest); len(rest) == 0 || bytes.ContainsRune([]byte(",}] \t\r\n"), r) {
				return t
			}
		}
	}
	return ""
}

// stringEnd is behind the string that begins at i, or the end of the text where it does not end.
func stringEnd(in []byte, i int) int {
	for j := i + 1; j < len(in); j++ {
		switch in[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return len(in)
}

// Number is a float as JSON has it: a text where JSON has no number for it, the one that QuoteNonFinite would write.
func Number(x float64) any {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return x
}
