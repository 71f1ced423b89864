// Package probe evaluates trees at points, with enclosures, to decide what has no exact form.
//
// Disjoint enclosures at one point prove two expressions different. Agreement at several points in seventy digits is
// taken for equality; it is not a proof, but no identity that holds by chance is known at that precision.
package probe

import (
	"errors"

	"github.com/provenir/provenir/services/verifier/math/exact"
)

// ErrUnsupported is the answer for what cannot be evaluated: infinity, sets, unknown functions.
var ErrUnsupported = errors.New("this cannot be evaluated at a point")

// costs in limb operations, measured against a multiplication of balls of about 100.
const (
	costAdd        = 40
	costMul        = 100
	costElementary = 6_000
)

// Answer is what is known of an equality.
type Answer = exact.Answer
