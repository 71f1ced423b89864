package asserts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	end kind = iota
	name
	number
	text  // a string literal, decoded
	bytes // a bytes literal, decoded
	op
	newline
	indent
	dedent
)

type token struct {
	kind kind
	text string
	line int
}

const (
	maxSource = 4 << 20
	maxNest   = 100
)

type lexer struct {
	src     string
	at      int
	line    int
	depth   int   // of brackets
	indents []int // open blocks
	out     []token
}

// lex splits source into tokens, with blocks marked as Python marks them.
func lex(src string) ([]token, error) {
	if len(src) > maxSource {
		return nil, beyond(1, "%d bytes", len(src))
	}
	if !utf8.ValidString(src) || strings.ContainsAny(src, "\x00\f") {
		return nil, beyond(1, "bytes that are not plain text")
	}
	src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n")
	l := &lexer{src: strings.TrimPrefix(src, "\ufeff"), line: 1, indents: []int{0}}
	start := true
	for {
		if start && l.depth == 0 {
			done, err := l.indentation()
			if err != nil {
				return nil, err
			}
			if done {
				break
			}
		}
		var err error
		if start, err = l.next(); err != nil {
			return nil, err
		}
	}
	if n := len(l.out); n > 0 && l.out[n-1].kind != newline {
		l.add(newline, "")
	}
	for range l.indents[1:] {
		l.add(dedent, "")
	}
	l.add(end, "")
	return l.out, nil
}

func (l *lexer) add(k kind, s string) { l.out = append(l.out, token{k, s, l.line}) }

// indentation reads the blanks of a line with something on it, and opens or closes blocks.
func (l *lexer) indentation() (done bool, err error) {
	for {
		width := 0
		for l.at < len(l.src) && (l.src[l.at] == ' ' || l.src[l.at] == '\t') {
			if l.src[l.at] == '\t' { // Python counts to the next multiple of 8, and refuses what depends on it
				width = width/8*8 + 8
			} else {
				width++
			}
			l.at++
		}
		if l.at == len(l.src) {
			return true, nil
		}
		switch l.src[l.at] {
		case '\n':
			l.at++
			l.line++
			continue
		case '#':
			l.comment()
			continue
		}
		top := l.indents[len(l.indents)-1]
		switch {
		case width > top:
			if len(l.indents) > maxNest {
				return false, beyond(l.line, "blocks are nested too deep")
			}
			l.indents = append(l.indents, width)
			l.add(indent, "")
		case width < top:
			for width < l.indents[len(l.indents)-1] {
				l.indents = l.indents[:len(l.indents)-1]
				l.add(dedent, "")
			}
			if width != l.indents[len(l.indents)-1] {
				return false, beyond(l.line, "a line is indented like no block")
			}
		}
		return false, nil
	}
}

func (l *lexer) comment() {
	for l.at < len(l.src) && l.src[l.at] != '\n' {
		l.at++
	}
}

var operators = []string{"**=", "//=", "...", "==", "!=", "<=", ">=", "**", "//", "->", ":=", "<<", ">>", "+=", "-=", "*=", "/="}

// next reads a token; start says that a new line begins.
func (l *lexer) next() (start bool, err error) {
	if l.at == len(l.src) {
		if l.depth != 0 {
			return false, beyond(l.line, "a bracket is not closed")
		}
		l.add(newline, "")
		return true, nil
	}
	c := l.src[l.at]
	switch {
	case c == '\n':
		l.at++
		if l.depth == 0 {
			l.add(newline, "")
		}
		l.line++
		return l.depth == 0, nil
	case c == ' ' || c == '\t':
		l.at++
		return false, nil
	case c == '#':
		l.comment()
		return false, nil
	case c == '\\' && l.at+1 < len(l.src) && l.src[l.at+1] == '\n':
		l.at += 2
		l.line++
		return false, nil
	case c >= '0' && c <= '9' || c == '.' && l.at+1 < len(l.src) && l.src[l.at+1] >= '0' && l.src[l.at+1] <= '9':
		l.number()
		return false, nil
	}
	if prefix, ok := l.stringStart(); ok {
		return false, l.str(prefix)
	}
	if r, size := utf8.DecodeRuneInString(l.src[l.at:]); r == '_' || unicode.IsLetter(r) {
		if r >= utf8.RuneSelf {
			return false, beyond(l.line, "a name that is not ASCII") // Python normalises these
		}
		from := l.at
		for size > 0 && (r == '_' || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))) {
			l.at += size
			r, size = utf8.DecodeRuneInString(l.src[l.at:])
		}
		l.add(name, l.src[from:l.at])
		return false, nil
	}
	return false, l.operator(c)
}

func (l *lexer) operator(c byte) error {
	for _, o := range operators {
		if strings.HasPrefix(l.src[l.at:], o) {
			l.at += len(o)
			l.add(op, o)
			return nil
		}
	}
	switch c {
	case '(', '[', '{':
		if l.depth++; l.depth > maxNest {
			return beyond(l.line, "brackets are nested too deep")
		}
	case ')', ']', '}':
		if l.depth--; l.depth < 0 {
			return beyond(l.line, "a bracket was not opened")
		}
	default:
		if !strings.ContainsRune("+-*/%<>=,:;.@&|^~!", rune(c)) {
			return beyond(l.line, "the character %q", c)
		}
	}
	l.at++
	l.add(op, string(c))
	return nil
}

func (l *lexer) number() {
	from := l.at
	for l.at < len(l.src) {
		c := l.src[l.at]
		sign := (c == '+' || c == '-') && l.at > from && (l.src[l.at-1] == 'e' || l.src[l.at-1] == 'E') && !strings.HasPrefix(strings.ToLower(l.src[from:l.at]), "0x")
		if !sign && c != '.' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		l.at++
	}
	l.add(number, l.src[from:l.at])
}
