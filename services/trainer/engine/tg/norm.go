package tg

// Softmax over the last axis.
func Softmax(a *T) *T {
	y := a.g.emit("Softmax", Attrs{"axis": -1}, []*T{a}, a.DT, a.Shape)
	y.vjp = func(dy *T) []*T { return []*T{Mul(y, Sub(dy, Sum(Mul(dy, y), true, -1)))} }
	return y
}

// LogSoftmax over the last axis.
func LogSoftmax(a *T) *T {
	y := a.g.emit("LogSoftmax", Attrs{"axis": -1}, []*T{a}, a.DT, a.Shape)
	y.vjp = func(dy *T) []*T { return []*T{Sub(dy, Mul(Exp(y), Sum(dy, true, -1)))} }
	return y
}

// RMSNorm is x/rms(x)·w over the last axis of a matrix (arXiv 1910.07467). The contributed operator is taken because its
// second output, 1/rms, is what the backward pass needs; the standard one does not give it.
func RMSNorm(x, w *T, eps float32) *T {
	if x.Rank() != 2 || w.Rank() != 1 || x.Dim(1) != w.Dim(0) {
		fail("norm of %v with weight %v", x.Shape, w.Shape)
	}
	o := x.g.emitN("SimplifiedLayerNormalization", Attrs{"axis": -1, "epsilon": eps, "stash_type": 1},
		[]*T{x, w}, []DType{F32, F32}, [][]int{x.Shape, {x.Dim(0), 1}})
	y, inv := o[0], o[1]
	y.vjp = func(dy *T) []*T {
		xhat := Mul(x, inv)
		dh := Mul(dy, w)
		dx := Mul(inv, Sub(dh, Mul(xhat, Mean(Mul(dh, xhat), true, -1))))
		return []*T{dx, sumTo(Mul(dy, xhat), w.Shape)}
	}
	return y
}

// RoPE rotates [B, H, T, hd] by the angles whose cosine and sine are the rows of [T, hd/2] tables, halves paired
// (arXiv 2104.09864, rotate-half as in Hugging Face checkpoints). The gradient rotates back.
func RoPE(x, cos, sin *T) *T {
	b, n, h := x.Dim(0), x.Dim(2), x.Dim(3)/2
	per := func(t *T) *T { return Expand(Reshape(t, 1, n, h), b, n, h) }
	y := x.g.emit("RotaryEmbedding", nil, []*T{x, per(cos), per(sin)}, x.DT, x.Shape)
	y.vjp = func(dy *T) []*T { return []*T{RoPE(dy, cos, Neg(sin)), nil, nil} }
	return y
}
