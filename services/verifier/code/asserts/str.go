package asserts

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// stringStart says whether a string literal begins here, and with which prefix.
func (l *lexer) stringStart() (prefix string, ok bool) {
	for i := l.at; i < len(l.src) && i-l.at <= 2; i++ {
		switch l.src[i] {
		case '\'', '"':
			return strings.ToLower(l.src[l.at:i]), true
		case 'r', 'R', 'b', 'B', 'u', 'U', 'f', 'F':
		default:
			return "", false
		}
	}
	return "", false
}

// str reads a string or bytes literal.
func (l *lexer) str(prefix string) error {
	line := l.line
	raw, isBytes := strings.Contains(prefix, "r"), strings.Contains(prefix, "b")
	switch prefix {
	case "", "r", "u", "b", "rb", "br":
	default:
		return beyond(line, "a string with prefix %q", prefix)
	}
	l.at += len(prefix)
	quote := l.src[l.at : l.at+1]
	if strings.HasPrefix(l.src[l.at:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	l.at += len(quote)
	var b strings.Builder
	for {
		switch {
		case l.at >= len(l.src):
			return beyond(line, "a string is not closed")
		case strings.HasPrefix(l.src[l.at:], quote):
			l.at += len(quote)
			if isBytes {
				l.out = append(l.out, token{bytes, b.String(), line})
			} else {
				l.out = append(l.out, token{text, b.String(), line})
			}
			return nil
		case l.src[l.at] == '\n':
			if len(quote) == 1 {
				return beyond(line, "a string is not closed in its line")
			}
			l.line++
			b.WriteByte('\n')
			l.at++
		case l.src[l.at] == '\\':
			if err := l.escape(&b, raw, isBytes); err != nil {
				return err
			}
		case isBytes && l.src[l.at] >= utf8.RuneSelf:
			return beyond(line, "a bytes literal with a character that is not ASCII")
		default:
			b.WriteByte(l.src[l.at])
			l.at++
		}
	}
}

var simpleEscapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': '\n', 'r': '\r', 't': '\t', 'v': 11}

// escape reads a backslash and what it stands for. What Python would warn of, or keep as it is, goes beyond.
func (l *lexer) escape(b *strings.Builder, raw, isBytes bool) error {
	if l.at+1 >= len(l.src) {
		return beyond(l.line, "a string is not closed")
	}
	c := l.src[l.at+1]
	if raw {
		b.WriteByte('\\')
		b.WriteByte(c)
		l.at += 2
		if c == '\n' {
			l.line++
		}
		return nil
	}
	l.at += 2
	if simple, ok := simpleEscapes[c]; ok {
		b.WriteByte(simple)
		return nil
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case c == '\n':
		l.line++
		return nil
	case c >= '0' && c <= '7':
		from := l.at - 1
		for l.at < len(l.src) && l.at-from < 3 && l.src[l.at] >= '0' && l.src[l.at] <= '7' {
			l.at++
		}
		n, _ := strconv.ParseUint(l.src[from:l.at], 8, 32)
		return l.character(b, uint32(n), isBytes)
	case digits == 0 || isBytes && c != 'x' || l.at+digits > len(l.src):
		return beyond(l.line, "the escape \\%c", c)
	}
	n, err := strconv.ParseUint(l.src[l.at:l.at+digits], 16, 32)
	if err != nil {
		return beyond(l.line, "the escape \\%c", c)
	}
	l.at += digits
	return l.character(b, uint32(n), isBytes)
}

func (l *lexer) character(b *strings.Builder, n uint32, isBytes bool) error {
	switch {
	case isBytes && n > 0xff || n > utf8.MaxRune:
		return beyond(l.line, "an escape out of range")
	case isBytes:
		b.WriteByte(byte(n))
	case n >= 0xD800 && n < 0xE000: // a lone surrogate takes three bytes, as it does on the wire
		b.Write([]byte{0xE0 | byte(n>>12), 0x80 | byte(n>>6)&0x3f, 0x80 | byte(n)&0x3f})
	default:
		b.WriteRune(rune(n))
	}
	return nil
}
