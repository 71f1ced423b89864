package extract

import "strings"

// Boxes are the boxes of a text in order.
type Boxes struct {
	Pieces       []Piece
	Unterminated bool // the last one ends with the text and not with a brace
}

// FindBoxes finds \boxed{…}, \fbox{…} and boxed{…}, also with blanks before the brace. Braces must balance; a box that
// never closes counts only where the text ends in its line.
func FindBoxes(s string, offset int) Boxes {
	var out Boxes
	for i := 0; ; {
		j := strings.Index(s[i:], "box")
		if j < 0 {
			return out
		}
		start := i + j
		open := boxStart(s, start)
		if open < 0 {
			i = start + len("box")
			continue
		}
		if end := closing(s, open); end >= 0 {
			out.Pieces = append(out.Pieces, Piece{Text: s[open+1 : end], Source: Box, Start: offset + open + 1, End: offset + end})
			i = end + 1
			continue
		}
		rest := strings.TrimRight(s[open+1:], " \t\r\n$")
		if rest != "" && len(rest) <= MaxCandidate && !strings.Contains(rest, "\n") && !strings.Contains(rest, "box") {
			out.Pieces = append(out.Pieces, Piece{Text: rest, Source: Box, Start: offset + open + 1, End: offset + open + 1 + len(rest)})
			out.Unterminated = true
			return out
		}
		i = open + 1
	}
}

// boxStart gives the place of the brace of the box at "box", or −1.
func boxStart(s string, at int) int {
	after := at + len("box")
	switch {
	case strings.HasPrefix(s[after:], "ed"): // boxed, with or without a backslash
		after += len("ed")
	case at >= 2 && s[at-2:at] == `\f`: // \fbox
	default:
		return -1
	}
	for after < len(s) && (s[after] == ' ' || s[after] == '\t') {
		after++
	}
	if after >= len(s) || s[after] != '{' {
		return -1
	}
	return after
}

// closing gives the place of the brace that closes the one at open, or −1.
func closing(s string, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			if depth++; depth > maxNesting {
				return -1
			}
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
