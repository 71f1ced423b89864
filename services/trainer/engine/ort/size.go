package ort

// Rows rounds a number of rows up to 8, 16, 32, 64, 128 or 256. Never below 8: products of one row take another kernel,
// whose rounding differs, and a row must not depend on how many neighbours it has.
func Rows(n int) int {
	r := 8
	for r < n && r < MaxRows {
		r *= 2
	}
	return r
}

// TrainRows rounds up to a power of two from 1 on: a training graph multiplies rows × tokens at once, so that a small batch
// needs no padding.
func TrainRows(n int) int {
	r := 1
	for r < n && r < MaxRows {
		r *= 2
	}
	return r
}

// MaxRows is the largest batch of one graph.
const MaxRows = 256

// Tokens rounds a length up: in steps of 16 to 64, 32 to 256, then 128, and never above the context.
func Tokens(n, context int) int {
	step := 128
	switch {
	case n <= 64:
		step = 16
	case n <= 256:
		step = 32
	}
	return min((n+step-1)/step*step, context)
}
