package tg

import "slices"

// Expand broadcasts to a shape.
func Expand(a *T, shape ...int) *T {
	if slices.Equal(a.Shape, shape) {
		return a
	}
	if !slices.Equal(broadcast(a.Shape, shape), shape) {
		fail("expand %v to %v", a.Shape, shape)
	}
	y := a.g.emit("Expand", nil, []*T{a, a.g.Ints(shape...)}, a.DT, shape)
	y.vjp = func(dy *T) []*T { return []*T{sumTo(dy, a.Shape), nil} }
	return y
}

// Reshape keeps the elements in order.
func Reshape(a *T, shape ...int) *T {
	if slices.Equal(a.Shape, shape) {
		return a
	}
	if Size(shape) != Size(a.Shape) {
		fail("reshape %v to %v", a.Shape, shape)
	}
	y := a.g.emit("Reshape", nil, []*T{a, a.g.Ints(shape...)}, a.DT, shape)
	y.vjp = func(dy *T) []*T { return []*T{Reshape(dy, a.Shape...), nil} }
	return y
}

// Transpose permutes the axes.
func Transpose(a *T, perm ...int) *T {
	if len(perm) != a.Rank() {
		fail("transpose %v by %v", a.Shape, perm)
	}
	sh, inverse := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		sh[i], inverse[p] = a.Dim(p), i
	}
	y := a.g.emit("Transpose", Attrs{"perm": perm}, []*T{a}, a.DT, sh)
	y.vjp = func(dy *T) []*T { return []*T{Transpose(dy, inverse...)} }
	return y
}

// SwapLast transposes the last two axes.
func SwapLast(a *T) *T {
	perm := make([]int, a.Rank())
	for i := range perm {
		perm[i] = i
	}
	n := len(perm)
	perm[n-1], perm[n-2] = n-2, n-1
	return Transpose(a, perm...)
}

// Slice takes [from, to) of one axis.
func Slice(a *T, ax, from, to int) *T {
	ax = axis(ax, a.Rank())
	if from < 0 || to > a.Shape[ax] || from >= to {
		fail("slice %d:%d of axis %d of %v", from, to, ax, a.Shape)
	}
	sh := slices.Clone(a.Shape)
	sh[ax] = to - from
	y := a.g.emit("Slice", nil, []*T{a, a.g.Ints(from), a.g.Ints(to), a.g.Ints(ax)}, a.DT, sh)
	y.vjp = func(dy *T) []*T {
		pads := make([]int, 2*a.Rank())
		pads[ax], pads[a.Rank()+ax] = from, a.Shape[ax]-to
		return []*T{a.g.emit("Pad", nil, []*T{dy, a.g.Ints(pads...)}, a.DT, a.Shape), nil, nil, nil}
	}
	return y
}

// Concat joins along one axis.
func Concat(ax int, in ...*T) *T {
	a := in[0]
	ax = axis(ax, a.Rank())
	sh := slices.Clone(a.Shape)
	sh[ax] = 0
	for _, t := range in {
		sh[ax] += t.Shape[ax]
	}
	y := a.g.emit("Concat", Attrs{"axis": ax}, in, a.DT, sh)
	y.vjp = func(dy *T) (out []*T) {
		at := 0
		for _, t := range in {
			out = append(out, Slice(dy, ax, at, at+t.Shape[ax]))
			at += t.Shape[ax]
		}
		return out
	}
	return y
}
