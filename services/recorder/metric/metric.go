// Package metric is the recorder's vocabulary: one name for one quantity, whatever an engine calls it, with the tags that
// say how the number was made. Two values with other tags are never compared.
//
// A value is present and finite, present and not finite, or absent; absent never reads as 0. The package is pure and
// knows no engine but ours, whose names arrive canonical; tables for others go beside own.go.
package metric

import "math"

// Tags say how a number was made. Empty is unknown.
type Tags struct {
	Estimator string // k1, k2, k3
	Reduction string // token_mean, sequence_mean, batch_mean, max, min, last
	Scope     string // train, eval
	Unit      string // nats, tokens, fraction, seconds
}

// Value is one number of a step. X may be NaN or infinite: that is recorded and found, never hidden.
type Value struct {
	Name string // canonical, or raw.<key>
	Raw  string // the engine's own name where it differs
	Tags
	X float64
	N uint64 // how many values are behind it; 0 is unknown
}

// Finite tells whether the value can be computed with.
func (v *Value) Finite() bool { return math.Abs(v.X) <= math.MaxFloat64 } // NaN is under nothing
