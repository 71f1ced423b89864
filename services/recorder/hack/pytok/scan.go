package pytok

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNesting bounds strings inside replacement fields of strings; deeper ones are read as plain text.
const maxNesting = 32

type scanner struct {
	src    string
	at     int
	depth  int // of brackets
	levels []int
	out    []Token
}

// Append adds the tokens of src to dst. The last one is End.
func Append(dst []Token, src string) []Token {
	var room [32]int
	s := scanner{src: src, out: dst, levels: append(room[:0], 0)}
	fresh := true // at the start of a logical line
	for {
		if fresh {
			s.indent()
			fresh = false
		}
		for s.at < len(src) && (src[s.at] == ' ' || src[s.at] == '\t' || src[s.at] == '\f' || src[s.at] == '\r') {
			s.at++
		}
		if s.at >= len(src) {
			break
		}
		switch c := src[s.at]; {
		case c == '\n':
			if s.depth > 0 && s.resumes(s.at+1) {
				s.depth = 0
			}
			if s.depth == 0 {
				s.add(Newline, s.at, s.at+1)
				fresh = true
			}
			s.at++
		case c == '#':
			s.skipLine()
		case c == '\\' && s.continued():
			s.at += strings.IndexByte(src[s.at:], '\n') + 1
		default:
			s.token(c)
		}
	}
	end := len(src)
	if n := len(s.out); n > len(dst) && s.out[n-1].Kind != Newline {
		s.add(Newline, end, end)
	}
	for range s.levels[1:] {
		s.add(Dedent, end, end)
	}
	s.add(End, end, end)
	return s.out
}

func (s *scanner) add(k Kind, from, to int) {
	s.out = append(s.out, Token{Kind: k, Start: int32(from), End: int32(to)})
}

func (s *scanner) skipLine() {
	if n := strings.IndexByte(s.src[s.at:], '\n'); n >= 0 {
		s.at += n
		return
	}
	s.at = len(s.src)
}

// continued says whether a backslash ends its line.
func (s *scanner) continued() bool {
	rest := s.src[s.at+1:]
	return strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r\n")
}

// indent measures a line and tells of the change. Lines that hold nothing do not count.
func (s *scanner) indent() {
	for {
		col, i := 0, s.at
	measure:
		for ; i < len(s.src); i++ {
			switch s.src[i] {
			case ' ':
				col++
			case '\t':
				col = col/8*8 + 8
			case '\f':
				col = 0
			case '\r':
			default:
				break measure
			}
		}
		s.at = i
		if i >= len(s.src) {
			return
		}
		if s.src[i] == '#' {
			s.skipLine()
		}
		if s.at < len(s.src) && s.src[s.at] == '\n' {
			s.at++
			continue
		}
		if s.at < len(s.src) {
			s.level(col)
		}
		return
	}
}

func (s *scanner) level(col int) {
	if col > s.levels[len(s.levels)-1] {
		s.levels = append(s.levels, col)
		s.add(Indent, s.at, s.at)
		return
	}
	for col < s.levels[len(s.levels)-1] {
		s.levels = s.levels[:len(s.levels)-1]
		s.add(Dedent, s.at, s.at)
	}
}

// resumes says whether a line cannot be inside brackets: it starts a definition in the first column. Without it one open
// bracket would hide the rest of the file.
func (s *scanner) resumes(at int) bool {
	for _, w := range [...]string{"def ", "class ", "import ", "@", "if __name__", "async def "} {
		if strings.HasPrefix(s.src[at:], w) {
			return true
		}
	}
	return false
}

func (s *scanner) token(c byte) {
	switch {
	case c == '"' || c == '\'':
		s.text(s.at, 0, 0)
	case isLetter(c):
		s.word()
	case isDigit(c), c == '.' && s.at+1 < len(s.src) && isDigit(s.src[s.at+1]):
		s.number()
	case c >= utf8.RuneSelf:
		s.foreign()
	default:
		s.operator(c)
	}
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func (s *scanner) word() {
	from := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if isLetter(c) || isDigit(c) {
			s.at++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, n := utf8.DecodeRuneInString(s.src[s.at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			break
		}
		s.at += n
	}
	if s.at < len(s.src) && (s.src[s.at] == '"' || s.src[s.at] == '\'') && s.at-from <= 2 {
		if f, ok := prefix(s.src[from:s.at]); ok {
			s.text(from, uint8(s.at-from), f)
			return
		}
	}
	s.add(Name, from, s.at)
}

func prefix(w string) (Flag, bool) {
	var f Flag
	for i := range len(w) {
		var g Flag
		switch w[i] | 0x20 {
		case 'r':
			g = Raw
		case 'b':
			g = Bytes
		case 'f', 't':
			g = Formatted
		case 'u':
			return f, len(w) == 1
		default:
			return 0, false
		}
		if f&g != 0 || f|g == Bytes|Formatted {
			return 0, false
		}
		f |= g
	}
	return f, true
}

func (s *scanner) foreign() {
	r, n := utf8.DecodeRuneInString(s.src[s.at:])
	if unicode.IsLetter(r) {
		s.word()
		return
	}
	if unicode.IsSpace(r) {
		s.at += n
		return
	}
	s.add(Bad, s.at, s.at+n)
	s.at += n
}

func (s *scanner) number() {
	from := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		sign := (c == '+' || c == '-') && s.src[s.at-1]|0x20 == 'e' && !strings.HasPrefix(s.src[from:], "0x") && !strings.HasPrefix(s.src[from:], "0X") && s.at > from
		if !isLetter(c) && !isDigit(c) && c != '.' && !sign {
			break
		}
		s.at++
	}
	s.add(Number, from, s.at)
}

var operators = [...]string{"**=", "//=", ">>=", "<<=", "...", "!=", "==", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=", "**", "//", ">>", "<<"}

func (s *scanner) operator(c byte) {
	switch c {
	case '(', '[', '{':
		s.depth++
	case ')', ']', '}':
		s.depth = max(0, s.depth-1)
	}
	n, kind := 1, Op
	if strings.IndexByte("()[]{},;`~", c) < 0 {
		for _, op := range operators {
			if strings.HasPrefix(s.src[s.at:], op) {
				n = len(op)
				break
			}
		}
	}
	if n == 1 && strings.IndexByte("()[]{},:;~.+-*/%@&|^<>=", c) < 0 {
		kind = Bad
	}
	s.add(kind, s.at, s.at+n)
	s.at += n
}
