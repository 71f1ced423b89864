package verdict

import (
	"math"
	"strconv"
)

// appendKey writes a key, given with its quotes and colon, and a text.
func appendKey(b []byte, key, s string) []byte { return appendText(append(b, key...), s) }

const hexDigits = "0123456789abcdef"

// appendText writes a JSON string as RFC 8785 does (section 3.2.2.2): only what must be escaped is.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(append(b, s[from:i]...), '\\')
		switch from = i + 1; c {
		case '"', '\\':
			b = append(b, c)
		case '\b':
			b = append(b, 'b')
		case '\f':
			b = append(b, 'f')
		case '\n':
			b = append(b, 'n')
		case '\r':
			b = append(b, 'r')
		case '\t':
			b = append(b, 't')
		default:
			b = append(b, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

// appendNumber writes a finite number in the shortest form that reads back the same, as ECMAScript prints it.
func appendNumber(b []byte, x float64) []byte {
	if x == 0 { // -0 is written as 0
		return append(b, '0')
	}
	if a := math.Abs(x); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, x, 'f', -1, 64)
	}
	from := len(b)
	b = strconv.AppendFloat(b, x, 'e', -1, 64)
	if n := len(b); n-from >= 4 && b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') { // e-09 is e-9
		b = append(b[:n-2], b[n-1])
	}
	return b
}
