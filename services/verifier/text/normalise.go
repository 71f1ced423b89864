package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Normalisation says how far two spellings may differ.
type Normalisation string

// The normalisations.
const (
	NormalizeText   Normalisation = "text"   // trim, unwrap, NFC, width; numbers where both sides are wholly numeric
	NormalizeNumber Normalisation = "number" // both sides must be numbers
	NormalizeNone   Normalisation = "none"   // bytes after trimming
)

// clean applies the steps of normalisation in their order: trim, unwrap, NFC, width folding, closing punctuation.
func clean(s string, fold bool) string {
	s = strings.TrimSpace(s)
	for {
		inner := unwrap(s)
		if inner == s {
			break
		}
		s = inner
	}
	if !isASCII(s) {
		s = width.Fold.String(norm.NFC.String(s))
		s = strings.ReplaceAll(s, "\u2212", "-")
		s = strings.TrimSpace(s)
	}
	s = strings.TrimSpace(strings.TrimRight(s, ".,;:"))
	if fold {
		s = strings.Map(foldRune, s)
	}
	return s
}

// foldRune gives the smallest of the runes that differ from r in case only.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least < utf8.RuneSelf { // K (Kelvin) and ſ fold to ASCII
		return foldRune(least)
	}
	return least
}

// unwrap takes away one wrapping of \text{…}, $…$, \(…\) or **…**.
func unwrap(s string) string {
	for _, w := range [...][2]string{{`\text{`, "}"}, {`\mathrm{`, "}"}, {`\textbf{`, "}"}, {`\mathbf{`, "}"}, {"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}, {"**", "**"}, {"`", "`"}} {
		if len(s) > len(w[0])+len(w[1]) && strings.HasPrefix(s, w[0]) && strings.HasSuffix(s, w[1]) {
			inner := s[len(w[0]) : len(s)-len(w[1])]
			if wraps(inner, w) {
				return strings.TrimSpace(inner)
			}
		}
	}
	return s
}

// wraps refuses a pair that belongs to two wrappings: \text{a} or \text{b}.
func wraps(inner string, w [2]string) bool {
	if w[1] != "}" {
		return !strings.Contains(inner, w[0]) && !strings.Contains(inner, w[1])
	}
	depth := 0
	for i := range len(inner) {
		switch inner[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decimal reads a plain number: sign, digits with thousands commas, a fraction. It gives the canonical text, in which
// 42.0, 042 and 42 are the same.
func decimal(s string) (string, bool) {
	sign := ""
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		if s[0] == '-' {
			sign = "-"
		}
		s = s[1:]
	}
	s = strings.TrimPrefix(s, "$")
	whole, frac, _ := strings.Cut(s, ".")
	whole, ok := ungroup(whole)
	if !ok || (whole == "" && frac == "") || !allDigits(frac) {
		return "", false
	}
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	if whole == "" {
		whole = "0"
	}
	if frac != "" {
		whole += "." + frac
	} else if whole == "0" {
		sign = ""
	}
	return sign + whole, true
}

// ungroup drops thousands commas; groups must have three digits.
func ungroup(s string) (string, bool) {
	if !strings.Contains(s, ",") {
		return s, allDigits(s)
	}
	groups := strings.Split(s, ",")
	for i, g := range groups {
		if !allDigits(g) || (i > 0 && len(g) != 3) || (i == 0 && (g == "" || len(g) > 3)) {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// same compares two cleaned texts.
func same(a, b string, n Normalisation) bool {
	if a == "" || b == "" {
		return false // empty never equals empty
	}
	if n == NormalizeNone {
		return a == b
	}
	if n == NormalizeText && a == b {
		return true
	}
	x, okA := decimal(a)
	y, okB := decimal(b)
	return okA && okB && x == y
}
