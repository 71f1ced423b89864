package syntax

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/lex"
	"github.com/provenir/provenir/services/verifier/math/unit"
)

// degree reads ^\circ or ^{\circ} behind the ^.
func (p *parser) degree() bool {
	if p.eat(`\circ`) || p.eat(`\degree`) {
		return true
	}
	if p.is("{") && (p.at(1).Text == `\circ` || p.at(1).Text == `\degree`) && p.at(2).Text == "}" {
		p.i += 3
		return true
	}
	return false
}

// degrees makes an angle or a temperature of what was read: 45°, 45°30', 25°C.
func (p *parser) degrees(a *Node) (*Node, error) {
	name := "deg"
	if t := p.peek(); (t.Kind == lex.Word || t.Kind == lex.Text) && (t.Text == "C" || t.Text == "F") {
		name = "°" + t.Text
		p.i++
	} else if t := p.peek(); t.Kind == lex.Number && p.at(1).Text == "'" {
		minutes := t.Num
		p.i += 2
		a = Make(Add, a, Num(new(big.Rat).Mul(minutes.Value, big.NewRat(1, 60))))
		if t := p.peek(); t.Kind == lex.Number && p.at(1).Text == "'" {
			p.i += 2
			p.eat("'")
			a.Args = append(a.Args, Num(new(big.Rat).Mul(t.Num.Value, big.NewRat(1, 3600))))
		}
	}
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: unit.Symbol(name)}, nil
}
