package app

import "strings"

// OneLine keeps a text that comes from elsewhere, a server's answer or a value of the data, from moving the cursor or the
// columns of a table.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
