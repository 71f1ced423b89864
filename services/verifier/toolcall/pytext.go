package toolcall

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text reads a Python string literal with its escapes.
func (p *python) text() (string, error) {
	quote := p.s[p.i : p.i+1]
	if long := strings.Repeat(quote, 3); strings.HasPrefix(p.s[p.i:], long) {
		quote = long
	}
	p.i += len(quote)
	var out strings.Builder
	for p.i < len(p.s) {
		rest := p.s[p.i:]
		switch {
		case strings.HasPrefix(rest, quote):
			p.i += len(quote)
			if !utf8.ValidString(out.String()) {
				return "", p.fail("a text that is not UTF-8")
			}
			return out.String(), nil
		case rest[0] == '\\':
			if err := p.escape(&out); err != nil {
				return "", err
			}
		case rest[0] == '\n' && len(quote) == 1:
			return "", p.fail("a text over the end of its line")
		default:
			out.WriteByte(rest[0])
			p.i++
		}
	}
	return "", errTruncated
}

var plainEscapes = map[byte]string{'\\': "\\", '\'': "'", '"': "\"", 'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f", 'v': "\v", 'a': "\a", '0': "\x00", '\n': ""}

func (p *python) escape(out *strings.Builder) error {
	if p.i+1 >= len(p.s) {
		return errTruncated
	}
	c := p.s[p.i+1]
	if s, ok := plainEscapes[c]; ok {
		out.WriteString(s)
		p.i += 2
		return nil
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 { // Python keeps an escape that it does not know
		out.WriteString(p.s[p.i : p.i+2])
		p.i += 2
		return nil
	}
	if p.i+2+digits > len(p.s) {
		return errTruncated
	}
	n, err := strconv.ParseUint(p.s[p.i+2:p.i+2+digits], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return p.fail("a broken escape")
	}
	out.WriteRune(rune(n)) // half a surrogate pair becomes U+FFFD: it has no UTF-8
	p.i += 2 + digits
	return nil
}
