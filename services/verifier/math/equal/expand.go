package equal

import (
	"math/big"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// expand gives the two values of an expression with ±. Several ± are only expanded together where a ∓ shows that their
// signs go together; of (±1, ±2) nobody can say whether it is two points or four.
func expand(n *syntax.Node) []*syntax.Node {
	plus, minus := 0, 0
	n.Walk(func(m *syntax.Node) bool {
		if m.Kind == syntax.PlusMinus {
			if m.Text == "-+" {
				minus++
			} else {
				plus++
			}
		}
		return true
	})
	if plus+minus == 0 || plus+minus > 1 && minus == 0 || n.Kind == syntax.List || n.Kind == syntax.Set {
		return []*syntax.Node{n}
	}
	return []*syntax.Node{choose(n, true), choose(n, false)}
}

func choose(n *syntax.Node, upper bool) *syntax.Node {
	if n.Kind == syntax.PlusMinus {
		a, b := choose(n.Args[0], upper), choose(n.Args[1], upper)
		if upper == (n.Text == "-+") {
			b = syntax.Make(syntax.Neg, b)
		}
		if a.Kind == syntax.Number && a.Value.Sign() == 0 {
			return b
		}
		return syntax.Make(syntax.Add, a, b)
	}
	if len(n.Args) == 0 {
		return n
	}
	m := *n
	m.Args = make([]*syntax.Node, len(n.Args))
	for i, a := range n.Args {
		m.Args[i] = choose(a, upper)
	}
	return &m
}

func listOf(items []*syntax.Node) *syntax.Node {
	if len(items) == 1 {
		return items[0]
	}
	return &syntax.Node{Kind: syntax.List, Args: items}
}

// distribute multiplies a number into a matrix or tuple, and takes the sign of one: ½(1, 2) is (½, 1).
func distribute(n *syntax.Node) *syntax.Node {
	switch n.Kind {
	case syntax.Neg:
		if t := vector(n.Args[0]); t != nil {
			return mapArgs(t, func(a *syntax.Node) *syntax.Node { return syntax.Make(syntax.Neg, a) })
		}
	case syntax.Div:
		if t := vector(n.Args[0]); t != nil && n.Args[1].Scalar() {
			return mapArgs(t, func(a *syntax.Node) *syntax.Node { return syntax.Make(syntax.Div, a, n.Args[1]) })
		}
	case syntax.Mul:
		var t *syntax.Node
		var factors []*syntax.Node
		for _, a := range n.Args {
			if v := vector(a); v != nil && t == nil {
				t = v
				continue
			}
			factors = append(factors, a)
		}
		if t == nil {
			return n
		}
		for _, f := range factors {
			if !f.Scalar() {
				return n
			}
		}
		return mapArgs(t, func(a *syntax.Node) *syntax.Node {
			return syntax.Make(syntax.Mul, append(slices.Clone(factors), a)...)
		})
	}
	return n
}

func vector(n *syntax.Node) *syntax.Node {
	if n = distribute(n); n.Kind == syntax.Matrix || n.Kind == syntax.Tuple {
		return n
	}
	return nil
}

func mapArgs(n *syntax.Node, f func(*syntax.Node) *syntax.Node) *syntax.Node {
	m := *n
	m.Args = make([]*syntax.Node, len(n.Args))
	for i, a := range n.Args {
		m.Args[i] = f(a)
	}
	return &m
}

// rename gives the answer the reference's names by position, for strict=false.
func rename(g, p *syntax.Node) *syntax.Node {
	from, to := p.Names(), g.Names()
	if len(from) != len(to) {
		return p
	}
	slices.Sort(from)
	slices.Sort(to)
	table := map[string]string{}
	for i := range from {
		table[from[i]] = to[i]
	}
	return substitute(p, table)
}

func substitute(n *syntax.Node, table map[string]string) *syntax.Node {
	m := *n
	if n.Kind == syntax.Name {
		m.Text = table[n.Text]
	}
	m.Args = make([]*syntax.Node, len(n.Args))
	for i, a := range n.Args {
		m.Args[i] = substitute(a, table)
	}
	return &m
}

// joinComma makes 3.14 of the list 3, 14 where the digits allow it.
func joinComma(list *syntax.Node) *syntax.Node {
	if len(list.Args) != 2 || !list.Args[0].Value.IsInt() || list.Args[1].Text == "" {
		return nil
	}
	whole, frac := list.Args[0].Value, list.Args[1].Text
	if strings.Trim(frac, "0123456789") != "" || len(frac) == 3 && whole.Sign() != 0 || len(frac) < 2 && whole.Sign() != 0 {
		return nil
	}
	v, ok := new(big.Rat).SetString(whole.Num().String() + "." + frac)
	if !ok {
		return nil
	}
	n := syntax.Num(v)
	n.Decimal = true
	return n
}
