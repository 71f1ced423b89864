package hack

import (
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// pair is a test that the policy could see: source of an input and of its output.
type pair struct{ in, out string }

// task is what is known of the task: names of the functions under test, and visible tests.
type task struct {
	entries []string
	pairs   []pair
}

func (t *task) entry(name string) bool {
	for _, e := range t.entries {
		if e == name {
			return true
		}
	}
	return false
}

// readTask reads the visible tests and the examples of the prompt.
func (in *Inspector) readTask() {
	in.task.entries, in.task.pairs = in.task.entries[:0], in.task.pairs[:0]
	rest := in.row.Prompt
	for range 32 {
		i := strings.Index(rest, "def ")
		if i < 0 {
			break
		}
		rest = rest[i+4:]
		if j := strings.IndexByte(rest, '('); j > 0 && j < 80 && !strings.ContainsAny(rest[:j], " \n") {
			in.task.entries = append(in.task.entries, rest[:j])
		}
	}
	in.examples(in.row.Prompt)
	if in.row.Tests == "" {
		return
	}
	m := in.parser.Parse(in.row.Tests)
	for _, n := range m.Body {
		pyast.Walk(n, func(n *pyast.Node) bool {
			if n.Kind == pyast.Compare && n.Text == "==" && len(n.Kids) == 2 && len(in.task.pairs) < 256 {
				in.pair(n.Kids[0], n.Kids[1], in.row.Tests)
			}
			return true
		})
	}
}

// examples reads lines of >>> with the line of output below.
func (in *Inspector) examples(text string) {
	for len(in.task.pairs) < 64 {
		i := strings.Index(text, ">>> ")
		if i < 0 {
			return
		}
		text = text[i+4:]
		line, rest, _ := strings.Cut(text, "\n")
		out, _, _ := strings.Cut(rest, "\n")
		if m := in.parser.Parse(line); len(m.Body) == 1 && m.Body[0].Kind == pyast.Expr && m.Body[0].Kids[0].Kind == pyast.Call {
			c := m.Body[0].Kids[0]
			in.task.pairs = append(in.task.pairs, pair{arguments(c, line), squeeze(out)})
		}
		text = rest
	}
}

func (in *Inspector) pair(a, b *pyast.Node, src string) {
	if a.Kind != pyast.Call {
		a, b = b, a
	}
	if a.Kind != pyast.Call || a.Kids[0].Kind != pyast.Name {
		return
	}
	if name := a.Kids[0].Text; name != "candidate" && !in.task.entry(name) {
		in.task.entries = append(in.task.entries, strings.Clone(name))
	}
	in.task.pairs = append(in.task.pairs, pair{arguments(a, src), squeeze(src[b.Start:b.End])})
}

// arguments is the source between the brackets of a call.
func arguments(c *pyast.Node, src string) string {
	if len(c.Kids) < 2 {
		return ""
	}
	return squeeze(src[c.Kids[1].Start:c.Kids[len(c.Kids)-1].End])
}

// squeeze makes sources of one value equal: no blanks, one kind of quotes.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\n', '\t', '\r':
			return -1
		case '"':
			return '\''
		}
		return r
	}, s)
}
