package pyvalue

import (
	"math"
	"math/big"
	"regexp"
	"strconv"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// maxExponent bounds the decimals that are compared exactly; beyond it a Decimal equals nothing here.
const maxExponent = 5000

var decimalText = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]*)?(?:E([+-]?[0-9]{1,6}))?$`)

// rational is the exact value of a Fraction or a finite Decimal.
func rational(v plain.Value) (*big.Rat, bool) {
	o, ok := v.(plain.Other)
	if !ok {
		return nil, false
	}
	switch o.Kind {
	case "fractions.Fraction":
		t, ok := o.State.(plain.Tuple)
		if !ok || len(t) != 2 {
			return nil, false
		}
		n, ok1 := number(t[0])
		d, ok2 := number(t[1])
		if !ok1 || !ok2 || n.i == nil || d.i == nil || d.i.Sign() <= 0 {
			return nil, false
		}
		return new(big.Rat).SetFrac(n.i, d.i), true
	case "decimal.Decimal":
		s, ok := o.State.(plain.Str)
		m := decimalText.FindStringSubmatch(string(s))
		if !ok || m == nil || len(s) > maxExponent {
			return nil, false
		}
		if e, _ := strconv.Atoi(m[2]); e > maxExponent || e < -maxExponent {
			return nil, false
		}
		return new(big.Rat).SetString(string(s))
	}
	return nil, false
}

func ratEqual(a, b plain.Value) bool {
	x, ok1 := exact(a)
	y, ok2 := exact(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}

func exact(v plain.Value) (*big.Rat, bool) {
	if r, ok := rational(v); ok {
		return r, true
	}
	n, ok := number(v)
	switch {
	case !ok || n.im != 0:
		return nil, false
	case n.i != nil:
		return new(big.Rat).SetInt(n.i), true
	case math.IsNaN(n.f) || math.IsInf(n.f, 0):
		return nil, false
	}
	return new(big.Rat).SetFloat64(n.f), true
}
