package syntax

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/unit"
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Number       Kind = iota + 1 // Value; Decimal where it was written with a point; Text has the digits of a short integer
	Based                        // Value written in base Base
	Name                         // a symbol
	Constant                     // Text: pi, e, i, phi or infinity
	Neg                          // −a
	Add                          // a + b + …
	Mul                          // a · b · …
	Div                          // a / b
	Pow                          // a ^ b
	Factorial                    // a!
	Call                         // Text(a, …)
	PlusMinus                    // a ± b, or a ∓ b where Text is "-+"
	Quantity                     // a with Unit
	Set                          // {a, …}
	List                         // a, … without brackets: a set of answers
	Tuple                        // (a, …), with its brackets in Open and Close
	Interval                     // two ends and its brackets
	Matrix                       // Args by rows; Columns of them
	Union                        // a ∪ b ∪ …
	Intersection                 // a ∩ b
	Difference                   // a \ b
	Domain                       // Text: R, Z, Q, N, C or empty
	Relation                     // a op b op …, with Ops
	Ratio                        // a : b : …
	Words                        // text that is not math
	Choice                       // one of the letters of a multiple choice
	Opaque                       // math that is compared as text only: sums, integrals, limits
)

// Op is a relation's sign.
type Op uint8

// The signs.
const (
	Equal Op = iota + 1
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	In
)

// Flip is the sign read from right to left.
func (o Op) Flip() Op {
	switch o {
	case Less:
		return Greater
	case LessEqual:
		return GreaterEqual
	case Greater:
		return Less
	case GreaterEqual:
		return LessEqual
	default:
		return o
	}
}

func (o Op) String() string {
	return [...]string{"?", "=", "!=", "<", "<=", ">", ">=", "in"}[min(int(o), 7)]
}

// Node is a part of a tree.
type Node struct {
	Kind        Kind
	Text        string
	Value       *big.Rat
	Decimal     bool
	Percent     bool // of Mul by 1/100: the number was written with a percent sign
	Comma       bool // of List: "3,14" could be a decimal comma
	Base        int
	Args        []*Node
	Ops         []Op
	Open, Close byte // '(' or '[' and ')' or ']'
	Columns     int
	Unit        *unit.Unit
}

// Num makes a number.
func Num(v *big.Rat) *Node { return &Node{Kind: Number, Value: v} }

// Int makes a small integer.
func Int(v int64) *Node { return Num(new(big.Rat).SetInt64(v)) }

// Make makes a node with arguments.
func Make(k Kind, args ...*Node) *Node { return &Node{Kind: k, Args: args} }

// CallOf makes a call.
func CallOf(name string, args ...*Node) *Node { return &Node{Kind: Call, Text: name, Args: args} }

// Scalar says whether the node stands for one value, not for a collection, relation or text.
func (n *Node) Scalar() bool {
	switch n.Kind {
	case Number, Based, Name, Constant:
		return true
	case Neg, Add, Mul, Div, Pow, Factorial, Call:
		for _, a := range n.Args {
			if !a.Scalar() {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// Worked says whether the node is a number as one writes a result: digits with a sign, a fraction of two, a mixed number,
// with a percent sign or a unit. 47+25 is not worked out.
func (n *Node) Worked() bool {
	switch n.Kind {
	case Number, Based:
		return true
	case Neg, Quantity:
		return n.Args[0].Worked()
	case Div:
		return n.Args[0].Kind == Number && n.Args[1].Kind == Number
	case Mul:
		return n.Percent && n.Args[0].Worked()
	case Add:
		return n.Text == "mixed"
	default:
		return false
	}
}

// Walk visits the node and all below it, until visit says false.
func (n *Node) Walk(visit func(*Node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, a := range n.Args {
		if !a.Walk(visit) {
			return false
		}
	}
	return true
}

// HasDecimal says whether a number with a point occurs.
func (n *Node) HasDecimal() bool {
	return !n.Walk(func(m *Node) bool { return !m.Decimal })
}

// Names are the symbols that occur, each once, in order of occurrence.
func (n *Node) Names() []string {
	var out []string
	seen := map[string]bool{}
	n.Walk(func(m *Node) bool {
		if m.Kind == Name && !seen[m.Text] {
			seen[m.Text] = true
			out = append(out, m.Text)
		}
		return true
	})
	return out
}
