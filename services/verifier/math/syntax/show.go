package syntax

import (
	"math/big"
	"strconv"
	"strings"
)

var kindNames = [...]string{
	Number: "num", Based: "based", Name: "name", Constant: "const", Neg: "neg", Add: "add", Mul: "mul", Div: "div", Pow: "pow",
	Factorial: "fact", Call: "call", PlusMinus: "pm", Quantity: "quantity", Set: "set", List: "list", Tuple: "tuple", Interval: "interval",
	Matrix: "matrix", Union: "union", Intersection: "intersection", Difference: "difference", Domain: "domain", Relation: "relation",
	Ratio: "ratio", Words: "words", Choice: "choice", Opaque: "opaque",
}

// String is the tree as an S-expression: (add (num 1) (name x)).
func (n *Node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *Node) write(b *strings.Builder) {
	b.WriteByte('(')
	b.WriteString(kindNames[n.Kind])
	switch n.Kind {
	case Number:
		b.WriteByte(' ')
		b.WriteString(ShowRat(n.Value))
	case Based:
		b.WriteString(" " + ShowRat(n.Value) + " " + strconv.Itoa(n.Base))
	case Name, Constant, Call, Domain, Words, Choice, Opaque:
		b.WriteByte(' ')
		b.WriteString(strings.Map(plain, n.Text))
	case PlusMinus:
		if n.Text != "" {
			b.WriteString(" " + n.Text)
		}
	case Quantity:
		b.WriteString(" [" + n.Unit.Name + "]")
	case Tuple, Interval:
		b.WriteString(" " + string(n.Open) + string(n.Close))
	case Matrix:
		b.WriteString(" " + strconv.Itoa(n.Columns))
	case Relation:
		for _, o := range n.Ops {
			b.WriteString(" " + o.String())
		}
	}
	for _, a := range n.Args {
		b.WriteByte(' ')
		a.write(b)
	}
	b.WriteByte(')')
}

// plain keeps the brackets of the notation apart from those of a text.
func plain(r rune) rune {
	switch r {
	case '(', ')':
		return '\''
	case '\n', '\t':
		return ' '
	default:
		return r
	}
}

// ShowRat writes a number: 7, 1/2, and long ones by their length.
func ShowRat(v *big.Rat) string {
	if v.Num().BitLen()+v.Denom().BitLen() > 2048 {
		return "[" + strconv.Itoa(v.Num().BitLen()) + " bits]"
	}
	return v.RatString()
}
