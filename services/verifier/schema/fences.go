package schema

import "strings"

// unfence takes the document out of a fenced block. ok is false where there is no block, or text beside it.
func unfence(s string) (doc string, ok bool) {
	body := strings.TrimSpace(s)
	mark, found := fence(body)
	if !found {
		return "", false
	}
	_, rest, found := strings.Cut(body[len(mark):], "\n") // the first line names the language
	if !found {
		return "", false
	}
	end := strings.LastIndex(rest, "\n"+mark)
	if strings.HasPrefix(rest, mark) { // an empty block
		end = 0
	}
	if end < 0 || strings.TrimSpace(strings.TrimPrefix(rest[end:], "\n")) != mark {
		return "", false
	}
	doc = rest[:end]
	if strings.Contains("\n"+doc, "\n"+mark) { // a second block
		return "", false
	}
	return doc, true
}

// fence is the run of backticks or tildes that a text begins with.
func fence(s string) (string, bool) {
	for _, c := range []byte("`~") {
		n := 0
		for n < len(s) && s[n] == c {
			n++
		}
		if n >= 3 {
			return s[:n], true
		}
	}
	return "", false
}
