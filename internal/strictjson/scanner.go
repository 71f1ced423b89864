package strictjson

import (
	"fmt"
	"unicode/utf8"
)

type scanner struct {
	b      []byte
	i      int
	l      Limits
	depth  int
	values int
	top    []Member // of the outermost array or object
}

func (s *scanner) fail(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Offset: s.i, Detail: fmt.Sprintf(format, args...)}
}

func (s *scanner) blank() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

// value reads one value; keep collects the members of the outermost one.
func (s *scanner) value(keep bool) error {
	if s.values++; s.values > s.l.Values {
		return s.fail(TooLarge, "more than %d values", s.l.Values)
	}
	if s.i >= len(s.b) {
		return s.fail(NotJSON, "the document ends too early")
	}
	switch c := s.b[s.i]; {
	case c == '{' || c == '[':
		if s.depth++; s.depth > s.l.Depth {
			return s.fail(TooLarge, "nested deeper than %d", s.l.Depth)
		}
		defer func() { s.depth-- }()
		if c == '{' {
			return s.object(keep)
		}
		return s.array(keep)
	case c == '"':
		_, err := s.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	default:
		for _, word := range [...]string{"true", "false", "null"} {
			if end := s.i + len(word); end <= len(s.b) && string(s.b[s.i:end]) == word {
				s.i = end
				return nil
			}
		}
		return s.fail(NotJSON, "did not expect %q", c)
	}
}

func (s *scanner) object(keep bool) error {
	var keys keySet
	for s.i++; ; s.i++ {
		s.blank()
		if s.at('}') && keys.n == 0 {
			s.i++
			return nil
		}
		if !s.at('"') {
			return s.fail(NotJSON, "want a key in quotes")
		}
		at := s.i
		raw, err := s.text()
		if err != nil {
			return err
		}
		key, err := unquote(raw)
		if err != nil {
			return s.fail(NotJSON, "a key cannot be read")
		}
		if keys.add(key) {
			s.i = at
			return s.fail(DuplicateKey, "the key %q is there twice", key)
		}
		if s.blank(); !s.at(':') {
			return s.fail(NotJSON, "want a colon")
		}
		s.i++
		s.blank()
		from := s.i
		if err := s.value(false); err != nil {
			return err
		}
		if keep {
			s.top = append(s.top, Member{key, s.b[from:s.i]})
		}
		if s.blank(); s.at('}') {
			s.i++
			return nil
		}
		if !s.at(',') {
			return s.fail(NotJSON, "want a comma or a closing brace")
		}
	}
}

func (s *scanner) array(keep bool) error {
	s.i++
	if s.blank(); s.at(']') {
		s.i++
		return nil
	}
	for ; ; s.i++ {
		s.blank()
		from := s.i
		if err := s.value(false); err != nil {
			return err
		}
		if keep {
			s.top = append(s.top, Member{Value: s.b[from:s.i]})
		}
		if s.blank(); s.at(']') {
			s.i++
			return nil
		}
		if !s.at(',') {
			return s.fail(NotJSON, "want a comma or a closing bracket")
		}
	}
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

// text reads a string with its quotes.
func (s *scanner) text() ([]byte, error) {
	from := s.i
	for s.i++; s.i < len(s.b); {
		c := s.b[s.i]
		switch {
		case c == '"':
			s.i++
			return s.b[from:s.i], nil
		case c < ' ':
			return nil, s.fail(NotJSON, "a control character in a string")
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < utf8.RuneSelf:
			s.i++
		default:
			r, size := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && size == 1 {
				return nil, s.fail(NotJSON, "bytes that are not UTF-8")
			}
			s.i += size
		}
	}
	return nil, s.fail(NotJSON, "a string does not end")
}

func (s *scanner) escape() error {
	if s.i+1 >= len(s.b) {
		return s.fail(NotJSON, "a string does not end")
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return nil
	case 'u':
		if s.i+6 > len(s.b) {
			return s.fail(NotJSON, "a string does not end")
		}
		for _, c := range s.b[s.i+2 : s.i+6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return s.fail(NotJSON, "an escape without four hexadecimal digits")
			}
		}
		s.i += 6
		return nil
	default:
		return s.fail(NotJSON, "the escape \\%c does not exist", s.b[s.i+1])
	}
}

func (s *scanner) digits() int {
	n := 0
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
		n++
	}
	return n
}

func (s *scanner) number() error {
	if s.at('-') {
		s.i++
	}
	leading := s.at('0')
	n := s.digits()
	if n == 0 || leading && n > 1 {
		return s.fail(NotJSON, "a number with a wrong start")
	}
	total := n
	if s.at('.') {
		s.i++
		m := s.digits()
		if m == 0 {
			return s.fail(NotJSON, "a point without digits")
		}
		total += m
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		m := s.digits()
		if m == 0 {
			return s.fail(NotJSON, "an exponent without digits")
		}
		total += m
	}
	if total > s.l.Digits {
		return s.fail(TooLarge, "a number has more than %d digits", s.l.Digits)
	}
	return nil
}
