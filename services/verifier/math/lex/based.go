package lex

import (
	"math/big"
	"strconv"
	"strings"
)

// Based reads a subscript base behind digits: 1101_2, 1101_{2}.
func Based(digits, s string) (*Literal, int) {
	if !strings.HasPrefix(s, "_") {
		return nil, 0
	}
	inner, n := group(s[1:])
	if inner == "" || Digits(inner) != len(inner) || len(inner) > 2 {
		return nil, 0
	}
	if s[1] != '{' { // 1101_10 means base 10 to people
		inner = s[1 : 1+Digits(s[1:])]
		n = len(inner)
	}
	base, err := strconv.Atoi(inner)
	if err != nil || base < 2 || base > 36 || len(digits) > MaxDigits {
		return nil, 0
	}
	v, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, 0
	}
	return &Literal{Value: new(big.Rat).SetInt(v), Base: base}, 1 + n
}

// hexLiteral reads digits with letters and a base above 10: 1A_{16}, FF_{16}. A letter first counts with base 16 only:
// A_{12} is the name of something.
func hexLiteral(s string) (*Literal, int) {
	n, letters := 0, 0
	for n < len(s) && (isDigit(s[n]) || s[n] >= 'A' && s[n] <= 'Z') {
		if !isDigit(s[n]) {
			letters++
		}
		n++
	}
	if letters == 0 || n < 2 || n >= len(s) || s[n] != '_' {
		return nil, 0
	}
	lit, size := Based(s[:n], s[n:])
	if lit == nil || (!isDigit(s[0]) && lit.Base != 16) {
		return nil, 0
	}
	return lit, n + size
}
