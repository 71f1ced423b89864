package extract

import "strings"

// FindDelimited finds $…$, $$…$$, \(…\), \[…\] in order. A dollar before a digit with no partner in its line is money.
func FindDelimited(s string, offset int) []Piece {
	var out []Piece
	clear := map[string]int{} // by closing delimiter: there is none before this place, so nobody looks there again
	for i := 0; i < len(s); {
		var open, shut string
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '(':
			open, shut = `\(`, `\)`
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '[':
			open, shut = `\[`, `\]`
		case s[i] == '\\':
			i += 2
			continue
		case strings.HasPrefix(s[i:], "$$"):
			open, shut = "$$", "$$"
		case s[i] == '$':
			open, shut = "$", "$"
		default:
			i++
			continue
		}
		from := i + len(open)
		end := delimiterEnd(s, max(from, clear[shut]), min(len(s), from+MaxCandidate), shut)
		if end < 0 {
			clear[shut] = min(len(s), from+MaxCandidate)
			if i := strings.IndexByte(s[from:clear[shut]], '\n'); shut == "$" && i >= 0 {
				clear[shut] = from + i
			}
			i = from
			continue
		}
		if text := strings.TrimSpace(s[from:end]); text != "" {
			out = append(out, Piece{Text: text, Source: Delimited, Start: offset + from, End: offset + end})
		}
		i = end + len(shut)
	}
	return out
}

// delimiterEnd finds the closing delimiter before limit; single dollars stay within a line.
func delimiterEnd(s string, from, limit int, shut string) int {
	for i := from; i < limit; i++ {
		switch {
		case shut == "$" && s[i] == '\n':
			return -1
		case strings.HasPrefix(s[i:limit], shut):
			return i
		case s[i] == '\\':
			i++
		}
	}
	return -1
}
