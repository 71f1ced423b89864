package asserts

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// integer takes an int; a bool is one in Python's arithmetic, and is left to Python here.
func integer(v plain.Value) (*big.Int, bool) {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v), true
	case *big.Int:
		return v, true
	}
	return nil, false
}

func unary(o token, v plain.Value) (plain.Value, error) {
	if i, ok := integer(v); ok {
		if o.text == "-" {
			i = new(big.Int).Neg(i)
		}
		return plain.Int(i), nil
	}
	switch f := v.(type) {
	case float64:
		if o.text == "-" {
			return -f, nil
		}
		return f, nil
	case complex128:
		if o.text == "-" {
			return -f, nil
		}
		return f, nil
	}
	return nil, beyond(o.line, "a sign before something else than a number")
}

// arithmetic computes what tests write for readability: 10**9 + 7, 1 + 2j, 0.1 + 0.2. Both are Python's results.
func arithmetic(o token, a, b plain.Value) (plain.Value, error) {
	x, ok1 := integer(a)
	y, ok2 := integer(b)
	if ok1 && ok2 {
		return integers(o, x, y)
	}
	f, isFloat := a.(float64)
	g, alsoFloat := b.(float64)
	if isFloat && alsoFloat {
		switch o.text {
		case "+":
			return f + g, nil
		case "-":
			return f - g, nil
		case "*":
			return f * g, nil
		}
	}
	if im, ok := b.(complex128); ok && real(im) == 0 && (o.text == "+" || o.text == "-") {
		if ok1 && x.IsInt64() && x.BitLen() <= 53 {
			f, isFloat = float64(x.Int64()), true
		}
		if isFloat {
			if o.text == "-" {
				return complex(f, -imag(im)), nil
			}
			return complex(f, imag(im)), nil
		}
	}
	return nil, beyond(o.line, "the operator %s on these literals", o.text)
}

func integers(o token, x, y *big.Int) (plain.Value, error) {
	z := new(big.Int)
	switch o.text {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		if x.BitLen()+y.BitLen() > maxBits {
			return nil, beyond(o.line, "a large product")
		}
		z.Mul(x, y)
	case "**":
		if y.Sign() < 0 || !y.IsInt64() || y.Int64() > maxBits || int64(x.BitLen())*y.Int64() > maxBits {
			return nil, beyond(o.line, "a large power")
		}
		z.Exp(x, y, nil)
	default:
		return nil, beyond(o.line, "the operator %s", o.text)
	}
	return plain.Int(z), nil
}
