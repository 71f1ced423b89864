package lex

import "strings"

// Clean takes away what is around the math: delimiters, Markdown, closing punctuation.
func Clean(s string) string {
	s = strings.TrimSpace(Fold(s))
	s = strings.ReplaceAll(s, `\\begin`, `\begin`)
	for {
		before := s
		s = strings.TrimSpace(strings.Trim(s, "*`\""))
		s = stripPair(s, "$$", "$$")
		s = stripPair(s, `\(`, `\)`)
		s = stripPair(s, `\[`, `\]`)
		s = stripPair(s, "$", "$")
		for _, end := range [...]string{".", ",", ";", ":", `\\`, `\.`, `\ `, `\,`} {
			if strings.HasSuffix(s, end) && !strings.HasSuffix(s, "..") && !(end == `\,` && strings.HasSuffix(s, `\\,`)) {
				s = strings.TrimSpace(strings.TrimSuffix(s, end))
			}
		}
		if s == before {
			break
		}
	}
	return dollars(s)
}

// stripPair takes away one pair of delimiters around the whole.
func stripPair(s, open, shut string) string {
	if len(s) > len(open)+len(shut) && strings.HasPrefix(s, open) && strings.HasSuffix(s, shut) {
		inner := s[len(open) : len(s)-len(shut)]
		if !strings.Contains(inner, open) && !strings.Contains(inner, shut) && !strings.HasSuffix(inner, `\`) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

// dollars drops the signs that delimit math and keeps those that are money: before a digit, and not closed in pairs.
func dollars(s string) string {
	if !strings.Contains(s, "$") && !strings.Contains(s, `\(`) && !strings.Contains(s, `\[`) {
		return s
	}
	s = strings.NewReplacer(`\(`, " ", `\)`, " ", `\[`, " ", `\]`, " ", "$$", " ").Replace(s)
	money, count := true, 0
	for i := range len(s) {
		if s[i] != '$' || i > 0 && s[i-1] == '\\' {
			continue
		}
		count++
		next := strings.TrimLeft(s[i+1:], " -.")
		money = money && next != "" && isDigit(next[0])
	}
	if count == 0 || money || count == 1 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '$' && (i == 0 || s[i-1] != '\\') {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return strings.TrimSpace(b.String())
}

// codeMarks are what programs have and answers have not.
var codeMarks = [...]string{"__", "import ", "lambda ", "lambda:", "exec(", "eval(", "open(", "print(", "os.", "sys.", "def ", "return ", "subprocess", "getattr", "globals(", "compile("}

// IsCode says whether a text looks like a program. Nothing would run it; but who answers with a program is not
// answering, and the verdict should say so.
func IsCode(s string) bool {
	for _, m := range codeMarks {
		if i := strings.Index(s, m); i >= 0 && (i == 0 || !IsLetter(s[i-1]) || m == "__") {
			return true
		}
	}
	return false
}

// opaqueCommands are math that is compared as text only: nobody here sums series or takes limits.
var opaqueCommands = [...]string{
	`\sum`, `\int`, `\iint`, `\oint`, `\prod`, `\lim`, `\partial`, `\nabla`, `\forall`, `\exists`, `\begin{cases}`, `\mid`, `\equiv`, `\pmod`, `\bmod`,
	`\mod`, `\ldots`, `\cdots`, `\dots`, `\vdots`, `\ddots`, `\to`, `\Rightarrow`, `\implies`, `\iff`, `\notin`, `\subset`, `\subseteq`, `\land`, `\wedge`, `\neg`,
	`\rightarrow`, `\Leftrightarrow`, `\propto`, `\perp`, `\parallel`, `\cong`, `\sim`, `\oplus`, `\otimes`, `\prime`, `\stackrel`, `\xrightarrow`,
	`\begin{tabular}`, `\begin{align`, `\underbrace`, `\overset`, `\therefore`, `\because`, `\Re`, `\Im`, `\sup`, `\inf`, `\det`, `\tr`, `\substack`,
}

// HasOpaque says whether such a command occurs; \int must not be found in \intercal, nor \in in \int.
func HasOpaque(s string) bool {
	if !strings.Contains(s, `\`) && !strings.Contains(s, "...") {
		return false
	}
	for _, c := range opaqueCommands {
		for from := 0; ; {
			i := strings.Index(s[from:], c)
			if i < 0 {
				break
			}
			end := from + i + len(c)
			if c[len(c)-1] == '}' || c == `\begin{align` || end == len(s) || !IsLetter(s[end]) {
				return true
			}
			from = end
		}
	}
	return strings.Contains(s, "...")
}
