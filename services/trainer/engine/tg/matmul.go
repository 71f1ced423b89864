package tg

// MatMul is the batched product over the last two axes.
func MatMul(a, b *T) *T {
	if a.Dim(-1) != b.Dim(-2) {
		fail("product of %v and %v", a.Shape, b.Shape)
	}
	sh := append(broadcast(a.Shape[:a.Rank()-2], b.Shape[:b.Rank()-2]), a.Dim(-2), b.Dim(-1))
	y := a.g.emit("MatMul", nil, []*T{a, b}, a.DT, sh)
	y.vjp = func(dy *T) []*T {
		return []*T{sumTo(MatMul(dy, SwapLast(b)), a.Shape), sumTo(MatMul(SwapLast(a), dy), b.Shape)}
	}
	return y
}

// Gemm is op(a)·op(b) on matrices, where op transposes if the flag is set. Its gradients are products again: as
// broadcast multiplications and sums they would take two hundred times as long.
func Gemm(a, b *T, ta, tb bool) *T {
	if a.Rank() != 2 || b.Rank() != 2 {
		fail("gemm of %v and %v", a.Shape, b.Shape)
	}
	m, k, k2, n := a.Dim(0), a.Dim(1), b.Dim(0), b.Dim(1)
	at := Attrs{}
	if ta {
		m, k = k, m
		at["transA"] = 1
	}
	if tb {
		k2, n = n, k2
		at["transB"] = 1
	}
	if k != k2 {
		fail("gemm of %v (transposed %v) and %v (transposed %v)", a.Shape, ta, b.Shape, tb)
	}
	y := a.g.emit("Gemm", at, []*T{a, b}, a.DT, []int{m, n})
	y.vjp = func(dy *T) []*T {
		da := func() *T {
			if ta {
				return Gemm(b, dy, tb, true)
			}
			return Gemm(dy, b, false, !tb)
		}
		db := func() *T {
			if tb {
				return Gemm(dy, a, true, ta)
			}
			return Gemm(a, dy, !ta, false)
		}
		return []*T{da(), db()}
	}
	return y
}
