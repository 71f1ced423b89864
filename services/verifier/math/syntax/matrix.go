package syntax

import (
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

var matrixKinds = map[string]bool{
	"matrix": true, "pmatrix": true, "bmatrix": true, "Bmatrix": true, "vmatrix": true, "Vmatrix": true, "smallmatrix": true, "array": true,
}

// environment reads \begin{pmatrix} a & b \\ c & d \end{pmatrix}. A vmatrix is a determinant: reading it as a matrix would
// make a number equal to a table.
func (p *parser) environment() (*Node, error) {
	name, ok := p.braced()
	if !ok || !matrixKinds[name] {
		return nil, p.unreadable("the environment %q is not known", name)
	}
	if name == "array" {
		if _, ok := p.braced(); !ok { // the columns' alignment
			return nil, p.unreadable("an array without columns")
		}
	}
	var rows [][]*Node
	row := []*Node{}
	cells := 0
	inner := func() bool { return p.is("&") || p.is(`\\`) || p.is(`\end`) || p.peek().Kind == lex.End }
	for {
		switch {
		case p.eat(`\hline`):
			continue
		case p.eat(`\\`):
			rows, row = append(rows, row), nil
			continue
		case p.eat("&"):
			continue
		case p.eat(`\end`):
			if shut, ok := p.braced(); !ok || shut != name {
				return nil, p.unreadable("%s is closed by %s", name, shut)
			}
			if len(row) > 0 {
				rows = append(rows, row)
			}
			return matrixOf(p, name, rows)
		case p.peek().Kind == lex.End:
			return nil, p.unreadable("%s does not end", name)
		}
		cell, err := p.items(inner)
		if err != nil {
			return nil, err
		}
		if cells++; cells > lex.MaxCells {
			return nil, &lex.Error{Fault: lex.TooLarge, At: p.peek().At, Detail: "a matrix has too many cells"}
		}
		row = append(row, cell)
	}
}

func matrixOf(p *parser, name string, rows [][]*Node) (*Node, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, p.unreadable("an empty matrix")
	}
	n := &Node{Kind: Matrix, Columns: len(rows[0])}
	for _, r := range rows {
		if len(r) != n.Columns {
			return nil, p.unreadable("rows of different lengths")
		}
		n.Args = append(n.Args, r...)
	}
	if name != "vmatrix" {
		return n, nil
	}
	if len(rows) != n.Columns || n.Columns > 5 {
		return nil, p.unreadable("a determinant of %d rows and %d columns", len(rows), n.Columns)
	}
	return determinant(rows), nil
}

// determinant expands along the first row; at most 5 rows make 120 products.
func determinant(rows [][]*Node) *Node {
	if len(rows) == 1 {
		return rows[0][0]
	}
	sum := Make(Add)
	for c := range rows {
		var minor [][]*Node
		for _, r := range rows[1:] {
			minor = append(minor, append(append([]*Node{}, r[:c]...), r[c+1:]...))
		}
		part := Make(Mul, rows[0][c], determinant(minor))
		if c%2 == 1 {
			part = Make(Neg, part)
		}
		sum.Args = append(sum.Args, part)
	}
	return sum
}

// braced reads {letters}.
func (p *parser) braced() (string, bool) {
	if !p.eat("{") {
		return "", false
	}
	var b strings.Builder
	for !p.eat("}") {
		t := p.peek()
		if t.Kind == lex.End {
			return "", false
		}
		b.WriteString(t.Text)
		p.i++
	}
	return b.String(), true
}
