package extract

import "strings"

// lastNumber finds the last number that is not part of a word or of a failed formula.
func lastNumber(s string, offset int) (Piece, bool) {
	for end := len(s); end > 0; {
		i := end - 1
		for i >= 0 && !isDigit(s[i]) {
			i--
		}
		if i < 0 {
			return Piece{}, false
		}
		to := i + 1
		from := i
		for from > 0 && (isDigit(s[from-1]) || (s[from-1] == ',' || s[from-1] == '.') && from > 1 && isDigit(s[from-2])) {
			from--
		}
		if from > 0 && s[from-1] == '.' { // .5
			from--
		}
		if from > 0 && s[from-1] == '$' {
			from--
		}
		if from > 0 && s[from-1] == '-' && (from == 1 || !wordByte(s[from-2]) && !isDigit(s[from-2])) {
			from--
		}
		if to < len(s) && s[to] == '%' {
			to++
		}
		glued := from > 0 && (wordByte(s[from-1]) || strings.IndexByte(`\^_{/`, s[from-1]) >= 0) ||
			to < len(s) && (wordByte(s[to]) || strings.IndexByte(`^_}/`, s[to]) >= 0)
		if !glued {
			return Piece{Text: s[from:to], Source: Digits, Start: offset + from, End: offset + to}, true
		}
		end = from
	}
	return Piece{}, false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
