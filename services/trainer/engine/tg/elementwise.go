package tg

import "slices"

func broadcast(a, b []int) []int {
	out := make([]int, max(len(a), len(b)))
	for i := range out {
		x, y := 1, 1
		if j := i - len(out) + len(a); j >= 0 {
			x = a[j]
		}
		if j := i - len(out) + len(b); j >= 0 {
			y = b[j]
		}
		if x != y && x != 1 && y != 1 {
			fail("shapes %v and %v do not broadcast", a, b)
		}
		out[i] = max(x, y)
	}
	return out
}

// sumTo reduces dy to the shape that was broadcast.
func sumTo(dy *T, shape []int) *T {
	if slices.Equal(dy.Shape, shape) {
		return dy
	}
	lead := dy.Rank() - len(shape)
	var axes []int
	for i, d := range dy.Shape {
		if i < lead || (shape[i-lead] == 1 && d != 1) {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return Reshape(dy, shape...)
	}
	return Reshape(Sum(dy, true, axes...), shape...)
}

func pair(op string, a, b *T, vjp func(dy, y *T) (da, db *T)) *T {
	y := a.g.emit(op, nil, []*T{a, b}, a.DT, broadcast(a.Shape, b.Shape))
	y.vjp = func(dy *T) []*T {
		da, db := vjp(dy, y)
		return []*T{sumTo(da, a.Shape), sumTo(db, b.Shape)}
	}
	return y
}

// Add is a + b.
func Add(a, b *T) *T { return pair("Add", a, b, func(dy, _ *T) (*T, *T) { return dy, dy }) }

// Sub is a − b.
func Sub(a, b *T) *T { return pair("Sub", a, b, func(dy, _ *T) (*T, *T) { return dy, Neg(dy) }) }

// Mul is a·b.
func Mul(a, b *T) *T {
	return pair("Mul", a, b, func(dy, _ *T) (*T, *T) { return Mul(dy, b), Mul(dy, a) })
}

// Div is a/b.
func Div(a, b *T) *T {
	return pair("Div", a, b, func(dy, y *T) (*T, *T) {
		da := Div(dy, b)
		return da, Neg(Mul(da, y))
	})
}

// Min takes the smaller; on a tie the gradient is a's.
func Min(a, b *T) *T { return choose("Min", "LessOrEqual", a, b) }

// Max takes the larger; on a tie the gradient is a's.
func Max(a, b *T) *T { return choose("Max", "GreaterOrEqual", a, b) }

func choose(op, won string, a, b *T) *T {
	return pair(op, a, b, func(dy, _ *T) (*T, *T) {
		m := Cast(Compare(won, a, b), F32)
		return Mul(dy, m), Mul(dy, Sub(a.g.Scalar(1), m))
	})
}

// Compare emits Equal, Less, LessOrEqual, Greater or GreaterOrEqual.
func Compare(op string, a, b *T) *T {
	return a.g.emit(op, nil, []*T{a, b}, Bool, broadcast(a.Shape, b.Shape))
}

// Indicator is Compare as 0 or 1.
func Indicator(op string, a, b *T) *T { return Cast(Compare(op, a, b), F32) }

// Cast changes the element type; it is not differentiated.
func Cast(a *T, to DType) *T { return a.g.emit("Cast", Attrs{"to": int(to)}, []*T{a}, to, a.Shape) }

// Where takes a where c holds, else b.
func Where(c, a, b *T) *T {
	y := a.g.emit("Where", nil, []*T{c, a, b}, a.DT, broadcast(c.Shape, broadcast(a.Shape, b.Shape)))
	y.vjp = func(dy *T) []*T {
		z := a.g.Scalar(0)
		return []*T{nil, sumTo(Where(c, dy, z), a.Shape), sumTo(Where(c, z, dy), b.Shape)}
	}
	return y
}

func unary(op string, a *T, vjp func(dy, y *T) *T) *T {
	y := a.g.emit(op, nil, []*T{a}, a.DT, a.Shape)
	y.vjp = func(dy *T) []*T { return []*T{vjp(dy, y)} }
	return y
}

// Neg is −a.
func Neg(a *T) *T { return unary("Neg", a, func(dy, _ *T) *T { return Neg(dy) }) }

// Exp is eᵃ.
func Exp(a *T) *T { return unary("Exp", a, func(dy, y *T) *T { return Mul(dy, y) }) }

// Log is the natural logarithm.
func Log(a *T) *T { return unary("Log", a, func(dy, _ *T) *T { return Div(dy, a) }) }

// Sqrt is the square root.
func Sqrt(a *T) *T {
	return unary("Sqrt", a, func(dy, y *T) *T { return Div(Mul(dy, a.g.Scalar(0.5)), y) })
}

// Sigmoid is 1/(1+e⁻ᵃ).
func Sigmoid(a *T) *T {
	return unary("Sigmoid", a, func(dy, y *T) *T { return Mul(dy, Sub(y, Mul(y, y))) })
}

// Softplus is log(1+eᵃ).
func Softplus(a *T) *T { return unary("Softplus", a, func(dy, _ *T) *T { return Mul(dy, Sigmoid(a)) }) }

// SiLU is a·σ(a). The runtime fuses the two nodes; the whole derivative goes to a.
func SiLU(a *T) *T {
	s := Sigmoid(a)
	y := a.g.emit("Mul", nil, []*T{a, s}, a.DT, a.Shape)
	y.vjp = func(dy *T) []*T { return []*T{Mul(dy, Add(s, Sub(y, Mul(y, s)))), nil} }
	return y
}

// Abs is |a|; it is not differentiated.
func Abs(a *T) *T { return a.g.emit("Abs", nil, []*T{a}, a.DT, a.Shape) }

// StopGrad is a, cut off from differentiation.
func StopGrad(a *T) *T { return a.g.emit("Identity", nil, []*T{a}, a.DT, a.Shape) }
