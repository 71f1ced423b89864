package lex

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textCommands take words in braces.
var textCommands = map[string]bool{
	`\text`: true, `\textbf`: true, `\textit`: true, `\textrm`: true, `\mbox`: true, `\mathrm`: true, `\operatorname`: true,
	`\mathit`: true, `\mathsf`: true, `\textnormal`: true, `\rm`: true, `\hbox`: true, `\texttt`: true, `\mathtt`: true, `\textsf`: true,
	`\unit`: true, `\si`: true,
}

// silent commands only change how things look.
var silent = map[string]bool{
	`\left`: true, `\right`: true, `\big`: true, `\Big`: true, `\bigg`: true, `\Bigg`: true, `\bigl`: true, `\bigr`: true, `\Bigl`: true,
	`\Bigr`: true, `\biggl`: true, `\biggr`: true, `\displaystyle`: true, `\textstyle`: true, `\limits`: true, `\nolimits`: true, `\mathopen`: true,
	`\mathclose`: true, `\mathstrut`: true, `\strut`: true, `\phantom`: false, `\boldsymbol`: true, `\mathbf`: true, `\bf`: true, `\rm`: false, `\bm`: true,
	`\middle`: true, `\scriptstyle`: true, `\normalsize`: true, `\large`: true, `\color`: false, `\displaylimits`: true,
}

// blanks are commands and signs that are white space.
var blanks = map[string]bool{
	`\,`: true, `\;`: true, `\:`: true, `\ `: true, `\quad`: true, `\qquad`: true, `\>`: true, `\thinspace`: true, `\enspace`: true,
	`\hspace`: false, `\nobreak`: true, `\allowbreak`: true,
}

// lexer cuts a cleaned text into tokens.
type lexer struct {
	s      string
	i      int
	space  bool
	out    []Token
	groups []bool // one an open bracket: commas in it may be thousands separators
}

func (l *lexer) fail(fault Fault, detail string) error {
	return &Error{Fault: fault, At: l.i, Detail: detail}
}

// Tokens cuts a cleaned text into tokens. The error is an *Error.
func Tokens(cleaned string) ([]Token, error) {
	l := lexer{s: cleaned}
	return l.run()
}

func (l *lexer) run() ([]Token, error) {
	for l.i < len(l.s) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return l.out, nil
}

func (l *lexer) emit(k Kind, text string, size int) {
	l.out = append(l.out, Token{Kind: k, Text: text, At: l.i, Space: l.space})
	l.i += size
	l.space = false
}

func (l *lexer) next() error {
	c := l.s[l.i]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~':
		l.i++
		l.space = true
	case isDigit(c) || c == '.' && l.i+1 < len(l.s) && (isDigit(l.s[l.i+1]) || strings.HasPrefix(l.s[l.i+1:], `\overline`)) && !l.afterDigit():
		return l.number()
	case c == '\\':
		return l.command()
	case c < utf8.RuneSelf && IsLetter(c):
		n := 1
		for l.i+n < len(l.s) && IsLetter(l.s[l.i+n]) {
			n++
		}
		if lit, size := hexLiteral(l.s[l.i:]); lit != nil {
			l.emit(Number, l.s[l.i:l.i+size], size)
			l.out[len(l.out)-1].Num = lit
			return nil
		}
		l.emit(Word, l.s[l.i:l.i+n], n)
	case c >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(l.s[l.i:])
		switch {
		case r == '€' || r == '£' || r == '¥' || r == '₹':
			l.emit(Sign, string(r), size)
		case unicode.IsLetter(r):
			n := size
			for l.i+n < len(l.s) {
				r, size := utf8.DecodeRuneInString(l.s[l.i+n:])
				if !unicode.IsLetter(r) && !unicode.IsMark(r) {
					break
				}
				n += size
			}
			l.emit(Word, l.s[l.i:l.i+n], n)
		default:
			return l.fail(Unreadable, "the character "+l.s[l.i:l.i+size]+" has no meaning here")
		}
	default:
		l.sign(c)
	}
	return nil
}

func (l *lexer) afterDigit() bool { return l.i > 0 && isDigit(l.s[l.i-1]) }

// sign reads one sign and keeps count of the brackets in which commas separate.
func (l *lexer) sign(c byte) {
	for _, two := range [...]string{"<=", ">=", "!=", "==", "**"} {
		if strings.HasPrefix(l.s[l.i:], two) {
			l.emit(Sign, two, 2)
			return
		}
	}
	switch c {
	case '(', '[':
		l.open(1)
	case ')', ']':
		l.shut()
	}
	l.emit(Sign, l.s[l.i:l.i+1], 1)
}

// open remembers whether commas within the bracket may be thousands separators: only where the parts are set apart by
// a comma and a blank, as in {1,000, 2,000}. In (1,234) there are two coordinates.
func (l *lexer) open(size int) {
	rest := l.s[l.i+size:]
	depth := 0
	spaced := false
scan:
	for i := 0; i < len(rest) && i < 1024; i++ {
		switch rest[i] {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth < 0 {
				break scan
			}
		case ',':
			if depth == 0 && i+1 < len(rest) && (rest[i+1] == ' ' || rest[i+1] == '\\') {
				spaced = true
			}
		}
	}
	l.groups = append(l.groups, spaced)
}

func (l *lexer) shut() {
	if len(l.groups) > 0 {
		l.groups = l.groups[:len(l.groups)-1]
	}
}

// commaGroups says whether 1,234 is a number here.
func (l *lexer) commaGroups() bool { return len(l.groups) == 0 || l.groups[len(l.groups)-1] }

func (l *lexer) command() error {
	rest := l.s[l.i:]
	n := 1
	for n < len(rest) && IsLetter(rest[n]) {
		n++
	}
	if n == 1 { // a backslash and a sign
		if len(rest) < 2 {
			l.i++ // at the end it is nothing
			return nil
		}
		_, size := utf8.DecodeRuneInString(rest[1:])
		n = 1 + size
	}
	name := rest[:n]
	switch {
	case blanks[name]:
		l.i += n
		l.space = true
		return nil
	case name == `\!` || silent[name]:
		l.i += n
		// \left. and \right. are brackets that do not show
		if (name == `\left` || name == `\right`) && strings.HasPrefix(l.s[l.i:], ".") {
			l.i++
		}
		return nil
	case name == `\hspace` || name == `\phantom` || name == `\color` || name == `\textcolor` || name == `\vspace`:
		l.i += n
		return l.skipGroup()
	case textCommands[name]:
		return l.text(name, n)
	case name == `\{`:
		l.open(n)
	case name == `\}`:
		l.shut()
	case name == `\$` || name == `\%` || name == `\#` || name == `\&` || name == `\_`:
		l.emit(Sign, name[1:], n)
		return nil
	}
	l.emit(Command, name, n)
	return nil
}

func (l *lexer) skipGroup() error {
	if l.i >= len(l.s) || l.s[l.i] != '{' {
		return nil
	}
	end := strings.IndexByte(l.s[l.i:], '}')
	if end < 0 {
		return l.fail(Unreadable, "a brace does not close")
	}
	l.i += end + 1
	l.space = true
	return nil
}

// text reads \text{…}; without braces it takes one letter, as TeX does.
func (l *lexer) text(name string, n int) error {
	at := l.i
	l.i += n
	for l.i < len(l.s) && l.s[l.i] == ' ' {
		l.i++
	}
	if l.i >= len(l.s) || l.s[l.i] != '{' {
		l.space = true
		return nil // \rm and the like without braces only change the look
	}
	depth := 0
	for j := l.i; j < len(l.s); j++ {
		switch l.s[j] {
		case '\\':
			j++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				content := l.s[l.i+1 : j]
				l.i = at
				l.emit(Text, strings.TrimSpace(unescape(content)), j+1-at)
				l.space = strings.HasSuffix(content, " ")
				l.out[len(l.out)-1].Space = true
				return nil
			}
		}
	}
	return l.fail(Unreadable, name+" has a brace that does not close")
}

func unescape(s string) string {
	if !strings.ContainsAny(s, `\~`) {
		return s
	}
	return strings.NewReplacer(`\ `, " ", `\,`, " ", `\;`, " ", "~", " ", `\%`, "%", `\$`, "$", `\_`, "_").Replace(s)
}

// IsLetter says whether a byte is an ASCII letter.
func IsLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
