package tg

import "slices"

func reduce(op string, a *T, keep bool, axes []int) *T {
	axes = norm(a, axes)
	var sh []int
	for i, d := range a.Shape {
		if !slices.Contains(axes, i) {
			sh = append(sh, d)
		} else if keep {
			sh = append(sh, 1)
		}
	}
	k := 0
	if keep {
		k = 1
	}
	return a.g.emit(op, Attrs{"keepdims": k}, []*T{a, a.g.Ints(axes...)}, a.DT, sh)
}

// norm makes axes positive; none means all.
func norm(a *T, axes []int) []int {
	if len(axes) == 0 {
		for i := range a.Shape {
			axes = append(axes, i)
		}
		return axes
	}
	out := make([]int, len(axes))
	for i, x := range axes {
		out[i] = axis(x, a.Rank())
	}
	return out
}

func kept(a *T, axes []int) []int {
	sh := slices.Clone(a.Shape)
	for _, x := range norm(a, axes) {
		sh[x] = 1
	}
	return sh
}

// Sum reduces over axes, over all when none is given.
func Sum(a *T, keep bool, axes ...int) *T {
	y := reduce("ReduceSum", a, keep, axes)
	y.vjp = func(dy *T) []*T { return []*T{Expand(Reshape(dy, kept(a, axes)...), a.Shape...), nil} }
	return y
}

// Mean reduces over axes, over all when none is given.
func Mean(a *T, keep bool, axes ...int) *T {
	y := reduce("ReduceMean", a, keep, axes)
	n := float64(Size(a.Shape)) / float64(Size(y.Shape))
	y.vjp = func(dy *T) []*T {
		return []*T{Expand(Reshape(Mul(dy, a.g.Scalar(1/n)), kept(a, axes)...), a.Shape...), nil}
	}
	return y
}

// ReduceMax is not differentiated.
func ReduceMax(a *T, keep bool, axes ...int) *T { return reduce("ReduceMax", a, keep, axes) }

// TopK gives the k largest of each row of a matrix, in falling order, and their columns. It is not differentiated.
func (g *Graph) TopK(a *T, k int) (values, indices *T) {
	sh := []int{a.Dim(0), k}
	o := g.emitN("TopK", Attrs{"axis": -1, "largest": 1, "sorted": 1}, []*T{a, g.Ints(k)}, []DType{a.DT, I64}, [][]int{sh, sh})
	return o[0], o[1]
}
