package extract

import "strings"

// anchor is a phrase behind which an answer stands.
type anchor struct {
	text  string // lower case
	start bool   // counts at the start of a line only
	final bool   // counts for the profile final_answer
	tier  int    // of group_boxed
}

var anchors = []anchor{
	{text: "####", final: true, tier: 50},
	{text: "final answer is", final: true, tier: 50},
	{text: "final answer:", final: true, tier: 50},
	{text: "final answer =", final: true, tier: 50},
	{text: "answer is", tier: 100},
	{text: "answer:", final: true, tier: 100},
	{text: "answer =", tier: 100},
	{text: "result is", tier: 200},
	{text: "result =", tier: 200},
	{text: "a:", start: true, final: true, tier: 100},
}

// lower folds ASCII only, so that offsets stay those of the response.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// lastAnchor finds the anchor that ends rightmost; which says which ones count. It gives the place behind it, or −1.
func lastAnchor(low string, which func(*anchor) bool) int {
	best := -1
	for i := range anchors {
		a := &anchors[i]
		if !which(a) {
			continue
		}
		for end := len(low); ; {
			j := strings.LastIndex(low[:end], a.text)
			if j < 0 {
				break
			}
			if stands(low, j, a) {
				best = max(best, j+len(a.text))
				break
			}
			end = j + len(a.text) - 1
		}
	}
	return best
}

// stands refuses an anchor in the middle of a word, or, for those of line starts, in the middle of a line.
func stands(low string, at int, a *anchor) bool {
	if at == 0 {
		return true
	}
	before := low[at-1]
	if a.start {
		return before == '\n'
	}
	return before < 'a' || before > 'z'
}

// behind gives what stands behind an anchor, up to the end of the line; the next line where this one has nothing.
func behind(s string, at int) (from, to int) {
	from = at
	for from < len(s) && strings.IndexByte(" \t\r\n:=*_", s[from]) >= 0 {
		from++
	}
	rest := s[from:]
	to = len(s)
	if display(rest) {
		return from, to // a displayed formula has lines of its own
	}
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		to = from + i
	}
	return from, to
}

func display(s string) bool {
	return strings.HasPrefix(s, "$$") || strings.HasPrefix(s, `\[`) || strings.HasPrefix(s, `\begin`)
}

// sentence cuts at the end of the first sentence, and before "because" and the like. Points within numbers stay.
func sentence(s string) string {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		case '.', '!', '?':
			ends := i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '*' || s[i+1] == '"'
			if ends && depth <= 0 && (c == '.' || i+1 < len(s) && s[i+1] == ' ' && !digitBefore(s, i)) {
				s = s[:i]
			}
		}
	}
	low := lower(s)
	for _, stop := range []string{" because", ", because", " since ", ", where ", ", which ", " as ", ", so ", ". ", " i hope", ", with ", " when "} {
		if i := strings.Index(low, stop); i > 0 {
			s, low = s[:i], low[:i]
		}
	}
	return strings.Trim(s, " \t\r*_\"")
}

// digitBefore keeps 5! a factorial.
func digitBefore(s string, i int) bool {
	return i > 0 && (s[i-1] >= '0' && s[i-1] <= '9' || s[i-1] == ')' || s[i-1] == '}')
}
