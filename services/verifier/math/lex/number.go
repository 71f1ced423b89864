package lex

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/unit"
)

// number reads a number at l.i with its separators, fraction, repeating part, exponent or base.
func (l *lexer) number() error {
	s := l.s[l.i:]
	if lit, size := hexLiteral(s); lit != nil {
		return l.put(lit, size)
	}
	whole, size, grouped := l.wholePart(s)
	if size > 0 && !grouped {
		if lit, n := Based(whole, s[size:]); lit != nil {
			return l.put(lit, size+n)
		}
	}
	frac, n := fraction(s[size:], grouped || l.i == 0 && measured(s[size:]))
	if n == 0 && size == 0 {
		return l.fail(Unreadable, "a point without digits")
	}
	size += n
	var repeat string
	hasPoint := n > 0
	if hasPoint || strings.HasPrefix(s[size:], ".") {
		var m int
		frac, repeat, m = repeating(frac, s[size:], hasPoint)
		hasPoint = hasPoint || m > 0
		size += m
	}
	// A point that ends the number is the end of a sentence.
	if !hasPoint && strings.HasPrefix(s[size:], ".") && (size+1 == len(s) || s[size+1] == ' ') {
		size++
	}
	exponent, n := exponentOf(s[size:], whole, hasPoint)
	size += n
	limit := MaxInteger
	if hasPoint || n > 0 {
		limit = MaxDigits
	}
	if len(whole)+len(frac)+len(repeat) > limit {
		return l.fail(TooLarge, "a number has more than "+strconv.Itoa(limit)+" digits")
	}
	v, ok := Value(whole, frac, repeat, exponent)
	if !ok {
		return l.fail(TooLarge, "an exponent is larger than the limit")
	}
	return l.put(&Literal{Value: v, Decimal: (hasPoint && repeat == "") || n > 0, Integer: !hasPoint && n == 0 && !grouped}, size)
}

func (l *lexer) put(lit *Literal, size int) error {
	l.emit(Number, l.s[l.i:l.i+size], size)
	l.out[len(l.out)-1].Num = lit
	return nil
}

// wholePart reads the digits before the point, with thousands separators.
func (l *lexer) wholePart(s string) (digits string, size int, grouped bool) {
	n := Digits(s)
	if n == 0 {
		return "", 0, false
	}
	if n > 3 || s[0] == '0' {
		return s[:n], n, false
	}
	for _, sep := range [...]string{"{,}", ",", `\,`, " ", `\ `, "~", `\;`, "{ }", "'"} {
		if sep == "," && !l.commaGroups() {
			continue
		}
		if d, m := groups(s, n, sep); m > 0 {
			if sep == "," && strings.HasPrefix(s[m:], ",") && m+1 < len(s) && isDigit(s[m+1]) {
				break // 1,234,5 is a list of three
			}
			return d, m, true
		}
	}
	// 1.234.567 and 1.234,56 have points as separators; 1.234 alone is a decimal.
	if d, m := groups(s, n, "."); m > 0 {
		if m > n+4 || strings.HasPrefix(s[m:], ",") && Digits(s[m+1:]) > 0 && Digits(s[m+1:]) != 3 {
			return d, m, true
		}
	}
	return s[:n], n, false
}

// groups reads digits in groups of three behind the first n.
func groups(s string, n int, sep string) (digits string, size int) {
	size = n
	var b []byte // linear: a list of 800 numbers is tried as one number at each of them
	for strings.HasPrefix(s[size:], sep) {
		at := size + len(sep)
		if sep == `\,` || sep == "," { // 1,\!000 lost its \! already; 1,\,000 does occur
			for strings.HasPrefix(s[at:], `\!`) || strings.HasPrefix(s[at:], `\,`) {
				at += 2
			}
		}
		if Digits(s[at:]) != 3 {
			break
		}
		if b == nil {
			b = append(make([]byte, 0, len(s)), s[:n]...)
		}
		b = append(b, s[at:at+3]...)
		size = at + 3
	}
	if size == n {
		return "", 0
	}
	return string(b), size
}

// measured says whether a comma, digits and a unit follow to the end: in 12,5 km the comma is a decimal sign.
func measured(s string) bool {
	if !strings.HasPrefix(s, ",") {
		return false
	}
	n := Digits(s[1:])
	rest := strings.TrimLeft(s[1+n:], " ")
	if n == 0 || n == 3 || strings.Contains(rest, ",") {
		return false
	}
	for _, mark := range [...]string{"%", `\%`, `\text`, `\mathrm`, "€", `\,\text`} {
		if strings.HasPrefix(rest, mark) && !strings.Contains(rest, "or") && !strings.Contains(rest, "and") {
			return true
		}
	}
	_, isUnit := unit.Parse(rest)
	return isUnit && len(rest) > 1
}

// fraction reads the part behind a point, or behind a comma where the number shows by its separators, or by {,}, that
// the comma is its decimal sign.
func fraction(s string, grouped bool) (digits string, size int) {
	switch {
	case strings.HasPrefix(s, "."):
		if n := Digits(s[1:]); n > 0 {
			return s[1 : 1+n], 1 + n
		}
	case strings.HasPrefix(s, "{,}"):
		if n := Digits(s[3:]); n > 0 {
			return s[3 : 3+n], 3 + n
		}
	case grouped && strings.HasPrefix(s, ","):
		if n := Digits(s[1:]); n > 0 && n != 3 {
			return s[1 : 1+n], 1 + n
		}
	}
	return "", 0
}

// exponentOf reads E-notation. A small e after an integer is the number e in 2e-1, but 1e-5 and 3e10 are exponents:
// nobody writes 1e for e, and programs print two digits.
func exponentOf(s, whole string, hasPoint bool) (exponent string, size int) {
	if len(s) < 2 || s[0] != 'e' && s[0] != 'E' {
		return "", 0
	}
	i := 1
	if s[i] == '+' || s[i] == '-' {
		i++
	}
	n := Digits(s[i:])
	if n == 0 || (i+n < len(s) && IsLetter(s[i+n])) {
		return "", 0
	}
	if s[0] == 'e' && !hasPoint && i == 2 && n == 1 && whole != "1" {
		return "", 0
	}
	return s[1 : i+n], i + n
}

// maxExponent bounds E-notation: 1e10001 has more digits than a number may have.
const maxExponent = 10_000

// Value makes whole.frac(repeat)·10^exponent.
func Value(whole, frac, repeat, exponent string) (*big.Rat, bool) {
	digits := whole + frac
	if digits == "" {
		digits = "0"
	}
	if len(digits) <= 18 && repeat == "" && exponent == "" && frac == "" {
		n, err := strconv.ParseInt(digits, 10, 64)
		return new(big.Rat).SetInt64(n), err == nil
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, false
	}
	v := new(big.Rat).SetFrac(n, tenTo(len(frac)))
	if repeat != "" {
		r, ok := new(big.Int).SetString(repeat, 10)
		if !ok {
			return nil, false
		}
		nines := new(big.Int).Sub(tenTo(len(repeat)), big.NewInt(1))
		v.Add(v, new(big.Rat).SetFrac(r, nines.Mul(nines, tenTo(len(frac)))))
	}
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxExponent || e < -maxExponent {
			return nil, false
		}
		scale := new(big.Rat).SetInt(tenTo(max(e, -e)))
		if e < 0 {
			scale.Inv(scale)
		}
		v.Mul(v, scale)
	}
	return v, true
}

func tenTo(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// Digits is the length of the digits at the start.
func Digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}
