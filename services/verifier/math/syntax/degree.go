package syntax

import "math/big"

// degree reads ^\circ or ^{\circ} behind the ^.
func (p *parser) degree() bool {
	if p.eat(`\circ`) || p.eat(`\degree`) {
		return true
	}
	if p.is("{") && (p.at(1).text == `\circ` || p.at(1).text == `\degree`) && p.at(2).text == "}" {
		p.i += 3
		return true
	}
	return false
}

// degrees makes an angle or a temperature of what was read: 45°, 45°30', 25°C.
func (p *parser) degrees(a *Node) (*Node, error) {
	name := "deg"
	if t := p.peek(); (t.kind == tWord || t.kind == tText) && (t.text == "C" || t.text == "F") {
		name = "°" + t.text
		p.i++
	} else if t := p.peek(); t.kind == tNumber && p.at(1).text == "'" {
		minutes := t.num
		p.i += 2
		a = Make(Add, a, Num(new(big.Rat).Mul(minutes.value, big.NewRat(1, 60))))
		if t := p.peek(); t.kind == tNumber && p.at(1).text == "'" {
			p.i += 2
			p.eat("'")
			a.Args = append(a.Args, Num(new(big.Rat).Mul(t.num.value, big.NewRat(1, 3600))))
		}
	}
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: unitTable[name]}, nil
}
