package tg

import "slices"

// oneHotRows is the largest table whose gradient is a product with the one-hot matrix; above it that matrix costs more
// than a sequential scatter.
const oneHotRows = 4096

// Gather takes rows of a matrix (an embedding). Its gradient never uses ScatterND with reduction add: that races over
// duplicate indices on the CPU (microsoft/onnxruntime issue 18048) and loses updates silently.
func Gather(w, idx *T) *T {
	y := w.g.emit("Gather", Attrs{"axis": 0}, []*T{w, idx}, w.DT, append(slices.Clone(idx.Shape), w.Shape[1:]...))
	y.vjp = func(dy *T) []*T {
		rows, v, d := Size(idx.Shape), w.Dim(0), w.Dim(1)
		i1, dy2 := Reshape(idx, rows), Reshape(dy, rows, d)
		if v <= oneHotRows {
			return []*T{Gemm(OneHot(i1, v), dy2, true, false), nil}
		}
		zero := Expand(w.g.Scalar(0), w.Shape...)
		at := Expand(Reshape(i1, rows, 1), rows, d)
		return []*T{w.g.emit("ScatterElements", Attrs{"axis": 0, "reduction": "add"}, []*T{zero, at, dy2}, w.DT, w.Shape), nil}
	}
	return y
}

// OneHot is the f32 indicator matrix [len(idx), n].
func OneHot(idx *T, n int) *T {
	return Indicator("Equal", Reshape(idx, append(slices.Clone(idx.Shape), 1)...), idx.g.Range(n))
}

// Pick takes one element of each row of a matrix.
func Pick(a, idx *T) *T {
	n := a.Dim(0)
	y := a.g.emit("GatherElements", Attrs{"axis": 1}, []*T{a, Reshape(idx, n, 1)}, a.DT, []int{n, 1})
	y.vjp = func(dy *T) []*T { return []*T{Mul(OneHot(idx, a.Dim(1)), dy), nil} }
	return Reshape(y, n)
}

// PickLogp is Pick on ls = LogSoftmax(logits) whose gradient goes straight to the logits, g·(onehot − p): one pass over
// the vocabulary in place of three. ls must have no other differentiated use.
func PickLogp(ls, idx *T) *T {
	if ls.node == nil || ls.node.op != "LogSoftmax" {
		fail("PickLogp of a value that is not a LogSoftmax")
	}
	n := ls.Dim(0)
	y := ls.g.emit("GatherElements", Attrs{"axis": 1}, []*T{ls, Reshape(idx, n, 1)}, ls.DT, []int{n, 1})
	y.node.diff = []*T{ls.node.in[0]}
	y.vjp = func(dy *T) []*T { return []*T{Mul(dy, Sub(OneHot(idx, ls.Dim(1)), Exp(ls)))} }
	return Reshape(y, n)
}
