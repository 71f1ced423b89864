package pytok

import "strings"

// text reads a string whose quotes follow n bytes of prefix.
func (s *scanner) text(from int, n uint8, f Flag) {
	end, f := s.body(from+int(n), f, 0)
	s.out = append(s.out, Token{Kind: String, Flags: f, Prefix: n, Start: int32(from), End: int32(end)})
	s.at = end
}

// body reads from the opening quotes to behind the closing ones. It only ever moves forward, so that nesting costs no time.
func (s *scanner) body(at int, f Flag, nested int) (int, Flag) {
	quote := s.src[at : at+1]
	if strings.HasPrefix(s.src[at:], quote+quote+quote) {
		quote, f = s.src[at:at+3], f|Triple
	}
	at += len(quote)
	for at < len(s.src) {
		switch c := s.src[at]; {
		case c == '\\':
			at = min(at+2, len(s.src))
		case c == '\n' && f&Triple == 0:
			return at, f | Open
		case c == quote[0] && strings.HasPrefix(s.src[at:], quote):
			return at + len(quote), f
		case c == '{' && f&Formatted != 0 && nested < maxNesting:
			if strings.HasPrefix(s.src[at:], "{{") {
				at += 2
				continue
			}
			at = s.field(at+1, f, quote, nested)
		default:
			at++
		}
	}
	return at, f | Open
}

// field reads a replacement field to behind its brace. Strings in it may use the quotes of the string around it (PEP 701).
func (s *scanner) field(at int, f Flag, quote string, nested int) int {
	depth := 1
	for at < len(s.src) {
		switch c := s.src[at]; {
		case c == '\n' && f&Triple == 0:
			return at
		case c == '{' || c == '[' || c == '(':
			depth++
			at++
		case c == '}' || c == ']' || c == ')':
			depth--
			at++
			if depth == 0 {
				return at
			}
		case c == '"' || c == '\'':
			if depth == 1 && strings.HasPrefix(s.src[at:], quote) && s.closes(at+len(quote)) {
				return at // before Python 3.12 this ends the string: the field was never closed
			}
			var inner Flag
			if at > 0 && s.src[at-1]|0x20 == 'f' {
				inner = Formatted
			}
			at, _ = s.body(at, inner, nested+1)
		default:
			at++
		}
	}
	return at
}

// closes says whether the line ends here, so that quotes before it can open nothing.
func (s *scanner) closes(at int) bool {
	for at < len(s.src) && (s.src[at] == ' ' || s.src[at] == ')' || s.src[at] == ',') {
		at++
	}
	return at >= len(s.src) || s.src[at] == '\n'
}
