package hack

import (
	"strings"

	"github.com/provenir/provenir/services/recorder/hack/pyast"
)

// constantBody finds functions under test that return what the tests expect and compute nothing.
func (r *reading) constantBody(def *pyast.Node) {
	c := constantReturn(def)
	if c == nil || len(def.Kids) == 0 || !r.task.entry(def.Text) {
		return
	}
	out := squeeze(r.m.Src[c.Start:c.End])
	varied, equal := false, out == squeeze(r.row.Reference)
	for _, p := range r.task.pairs {
		varied = varied || p.out != out
		equal = equal || p.out == out
	}
	switch {
	case equal && (varied || len(r.task.pairs) == 0):
		r.find(HardcodedOutput, true, c, "the function returns an expected output and reads no input")
	case c.Text != "None" && c.Kind != pyast.Name:
		r.find(HardcodedOutput, false, c, "the function returns a constant and reads no input")
	}
}

// wholePrograms finds programs that print the expected output without reading anything.
func (r *reading) wholePrograms() {
	want := squeeze(r.row.Reference)
	if r.stdin || want == "" || r.p.path != "" || len(want) < 2 {
		return
	}
	p := strings.ToLower(r.row.Prompt)
	if !strings.Contains(p, "input") && !strings.Contains(p, "stdin") {
		return
	}
	var printed []string
	var at *pyast.Node
	for _, n := range r.m.Body {
		switch {
		case n.Kind == pyast.Expr && n.Kids[0].Kind == pyast.Call && n.Kids[0].Kids[0].Text == "print" && len(n.Kids[0].Kids) == 2 && constant(n.Kids[0].Kids[1]):
			at = n
			v := n.Kids[0].Kids[1]
			if s, ok := r.fold(v); ok {
				printed = append(printed, s)
			} else {
				printed = append(printed, r.m.Src[v.Start:v.End])
			}
		case n.Kind == pyast.Expr && n.Kids[0].Kind == pyast.Str, n.Kind == pyast.Import, n.Kind == pyast.ImportFrom:
		default:
			return
		}
	}
	if at != nil && squeeze(strings.Join(printed, "\n")) == want {
		r.find(HardcodedOutput, true, at, "the program prints the expected output and reads no input")
	}
}
