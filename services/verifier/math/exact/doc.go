// Package exact decides equality of polynomials and rational functions over ℚ with generators: symbols, √p for primes p,
// i, π, e, and atoms such as sin 1 that stand for themselves.
//
// A form is a fraction of two polynomials. Square roots of different primes, and i, are linearly independent over ℚ, so
// without atoms a form is zero exactly if its numerator has no terms: both answers, equal and different, are proofs.
// With atoms "no terms" still proves equality, and anything else proves nothing.
package exact

import "errors"

// ErrWork is the answer of a computation that would take more than its budget.
var ErrWork = errors.New("the computation is larger than its limit")

// ErrUndefined is the answer for an expression without a value: 1/0.
var ErrUndefined = errors.New("the expression has no value")

// ErrNotPolynomial is the answer for an expression outside of this package, such as a power tower.
var ErrNotPolynomial = errors.New("the expression has no exact form")

// Limits of a computation.
const (
	MaxWork   = 2_000_000 // limb operations
	maxTerms  = 2_048
	maxBits   = 4_096 // of a coefficient's numerator and denominator together
	maxPower  = 10_000
	maxExpand = 64 // of a power of a sum
)
