package math

import (
	"strings"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// choice reads a letter of a multiple choice in the common spellings: C, (C), C., **C**, \text{C}, C) 42, option C.
func (m *Verifier) choice(t string) *syntax.Node {
	t = strings.TrimSpace(t)
	for _, w := range [...][2]string{{`\text{`, "}"}, {`\textbf{`, "}"}, {`\mathrm{`, "}"}, {`\mathbf{`, "}"}, {"**", "**"}, {"$", "$"}, {`"`, `"`}, {"`", "`"}} {
		if len(t) > len(w[0])+len(w[1]) && strings.HasPrefix(t, w[0]) && strings.HasSuffix(t, w[1]) {
			t = strings.TrimSpace(t[len(w[0]) : len(t)-len(w[1])])
		}
	}
	low := strings.ToLower(t)
	for _, p := range [...]string{"option ", "choice ", "answer ", "answer: "} {
		if strings.HasPrefix(low, p) {
			t = strings.TrimSpace(t[len(p):])
			break
		}
	}
	open := strings.HasPrefix(t, "(") || strings.HasPrefix(t, "[")
	if open {
		t = t[1:]
	}
	if t == "" || !strings.Contains(m.letters, strings.ToUpper(t[:1])) {
		return nil
	}
	letter, rest := strings.ToUpper(t[:1]), t[1:]
	closed := strings.HasPrefix(rest, ")") || strings.HasPrefix(rest, "]")
	switch {
	case open != closed && open:
		return nil
	case rest == "" || rest == "." || rest == ":" || closed, strings.HasPrefix(rest, ". "), strings.HasPrefix(rest, ": "):
		// a letter with its closing sign begins a choice, whatever text of the choice follows
		return &syntax.Node{Kind: syntax.Choice, Text: letter}
	default:
		return nil
	}
}
