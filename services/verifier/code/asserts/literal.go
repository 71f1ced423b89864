package asserts

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// maxBits bounds integers that are computed while reading, as in 2**100 - 1.
const maxBits = 1 << 14

// literal reads a literal: a display, a number, a string, or arithmetic of numbers.
func (p *parser) literal() (plain.Value, error) {
	if p.nest++; p.nest > maxNest {
		return nil, beyond(p.peek().line, "literals are nested too deep")
	}
	defer func() { p.nest-- }()
	left, err := p.term()
	for err == nil && (p.is("+") || p.is("-")) {
		o := p.take()
		var right plain.Value
		if right, err = p.term(); err == nil {
			left, err = arithmetic(o, left, right)
		}
	}
	return left, err
}

func (p *parser) term() (plain.Value, error) {
	left, err := p.factor()
	for err == nil && p.is("*") {
		o := p.take()
		var right plain.Value
		if right, err = p.factor(); err == nil {
			left, err = arithmetic(o, left, right)
		}
	}
	return left, err
}

func (p *parser) factor() (plain.Value, error) {
	if p.nest++; p.nest > maxNest {
		return nil, beyond(p.peek().line, "literals are nested too deep")
	}
	defer func() { p.nest-- }()
	if p.is("-") || p.is("+") {
		o := p.take()
		v, err := p.factor()
		if err != nil {
			return nil, err
		}
		return unary(o, v)
	}
	base, err := p.atom()
	if err != nil || !p.is("**") {
		return base, err
	}
	o := p.take()
	exponent, err := p.factor()
	if err != nil {
		return nil, err
	}
	return arithmetic(o, base, exponent)
}

func (p *parser) atom() (plain.Value, error) {
	t := p.take()
	switch t.kind {
	case number:
		return readNumber(t)
	case text, bytes:
		s := t.text
		for p.peek().kind == t.kind {
			s += p.take().text
		}
		if k := p.peek().kind; k == text || k == bytes {
			return nil, beyond(t.line, "strings and bytes side by side")
		}
		if t.kind == bytes {
			return plain.Bytes(s), nil
		}
		return plain.Str(s), nil
	case name:
		return p.named(t)
	case op:
		switch t.text {
		case "[":
			items, _, err := p.items("]")
			return plain.List(items), err
		case "(":
			items, comma, err := p.items(")")
			if err == nil && len(items) == 1 && !comma {
				return items[0], nil
			}
			return plain.Tuple(items), err
		case "{":
			return p.braces()
		}
	}
	return nil, beyond(t.line, "%q where a literal is wanted", t.text)
}

// named reads the constants and the few calls that stand for literals.
func (p *parser) named(t token) (plain.Value, error) {
	switch t.text {
	case "None":
		return nil, nil
	case "True", "False":
		return t.text == "True", nil
	case "set", "dict", "list", "tuple", "float", "frozenset":
		if !p.is("(") {
			break
		}
		p.take()
		if t.text == "float" {
			return p.infinite(t)
		}
		if !p.is(")") {
			break
		}
		p.take()
		return map[string]plain.Value{"set": plain.Set{}, "dict": plain.Dict{}, "list": plain.List{}, "tuple": plain.Tuple{}, "frozenset": plain.FrozenSet{}}[t.text], nil
	}
	return nil, beyond(t.line, "the name %s where a literal is wanted", t.text)
}

func (p *parser) infinite(t token) (plain.Value, error) {
	arg := p.take()
	if arg.kind == text && p.is(")") {
		p.take()
		switch strings.ToLower(arg.text) {
		case "inf", "+inf", "infinity":
			return math.Inf(1), nil
		case "-inf", "-infinity":
			return math.Inf(-1), nil
		case "nan":
			return math.NaN(), nil
		}
	}
	return nil, beyond(t.line, "a call of float")
}

func (p *parser) items(closing string) (list []plain.Value, comma bool, err error) {
	list = []plain.Value{}
	for !p.is(closing) {
		v, err := p.literal()
		if err != nil {
			return nil, false, err
		}
		list = append(list, v)
		if comma = p.is(","); !comma {
			break
		}
		p.take()
	}
	if t := p.take(); t.text != closing || t.kind != op {
		return nil, false, beyond(t.line, "%q where %q is wanted", t.text, closing)
	}
	return list, comma, nil
}

func (p *parser) braces() (plain.Value, error) {
	if p.is("}") {
		p.take()
		return plain.Dict{}, nil
	}
	first, err := p.literal()
	if err != nil {
		return nil, err
	}
	if !p.is(":") {
		set := plain.Set{first}
		if p.is(",") {
			p.take()
			rest, _, err := p.items("}")
			if err != nil {
				return nil, err
			}
			set = append(set, rest...)
		} else if t := p.take(); t.text != "}" || t.kind != op {
			return nil, beyond(t.line, "a set is not closed")
		}
		for _, v := range set {
			if !hashable(v) {
				return nil, beyond(p.peek().line, "an unhashable member of a set")
			}
		}
		return set, nil
	}
	out := plain.Dict{}
	key := first
	for {
		if t := p.take(); t.text != ":" || t.kind != op {
			return nil, beyond(t.line, "a dict without a colon")
		}
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		if !hashable(key) {
			return nil, beyond(p.peek().line, "an unhashable key")
		}
		out = append(out, plain.Pair{Key: key, Value: v})
		if p.is(",") {
			p.take()
		} else if !p.is("}") {
			return nil, beyond(p.peek().line, "a dict is not closed")
		}
		if p.is("}") {
			p.take()
			return out, nil
		}
		if key, err = p.literal(); err != nil {
			return nil, err
		}
	}
}

func hashable(v plain.Value) bool {
	switch v := v.(type) {
	case plain.List, plain.Set, plain.Dict:
		return false
	case plain.Tuple:
		for _, x := range v {
			if !hashable(x) {
				return false
			}
		}
	}
	return true
}

func readNumber(t token) (plain.Value, error) {
	s := strings.ReplaceAll(t.text, "_", "")
	lower := strings.ToLower(s)
	if strings.HasSuffix(t.text, "_") || strings.Contains(t.text, "__") || len(s) > 10_000 {
		return nil, beyond(t.line, "the number %.20s", t.text)
	}
	if imaginary, ok := strings.CutSuffix(lower, "j"); ok {
		f, err := strconv.ParseFloat(imaginary, 64)
		if err != nil || strings.HasPrefix(lower, "0x") {
			return nil, beyond(t.line, "the number %.20s", t.text)
		}
		return complex(0, f), nil
	}
	base := 10
	switch {
	case strings.HasPrefix(lower, "0x"), strings.HasPrefix(lower, "0o"), strings.HasPrefix(lower, "0b"):
		base = map[byte]int{'x': 16, 'o': 8, 'b': 2}[lower[1]]
		lower = lower[2:]
	case strings.ContainsAny(lower, ".e"):
		f, err := strconv.ParseFloat(lower, 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, beyond(t.line, "the number %.20s", t.text)
		}
		return f, nil
	case len(lower) > 1 && lower[0] == '0' && strings.Trim(lower, "0") != "":
		return nil, beyond(t.line, "a number with a leading zero")
	}
	if strings.ContainsAny(lower, "+-") {
		return nil, beyond(t.line, "the number %.20s", t.text)
	}
	i, ok := new(big.Int).SetString(lower, base)
	if !ok {
		return nil, beyond(t.line, "the number %.20s", t.text)
	}
	return plain.Int(i), nil
}
