package tg

import "slices"

// Grad emits the gradient of a one-element loss by each of wrt; zeros where the loss does not depend on it.
func Grad(loss *T, wrt ...*T) []*T {
	g := loss.g
	if Size(loss.Shape) != 1 {
		fail("gradient of a loss of shape %v", loss.Shape)
	}
	need := map[*T]bool{}
	for _, w := range wrt {
		need[w] = true
	}
	for _, n := range g.nodes {
		if n.out[0].vjp == nil {
			continue
		}
		for _, in := range n.wrt() {
			if in != nil && need[in] {
				need[n.out[0]] = true
			}
		}
	}
	cotangent := map[*T]*T{loss: Reshape(g.Scalar(1), loss.Shape...)}
	// The slice is fixed here: the nodes of the backward pass are appended behind it.
	for _, n := range slices.Backward(g.nodes[:len(g.nodes):len(g.nodes)]) {
		y := n.out[0]
		dy := cotangent[y]
		if dy == nil || !need[y] {
			continue
		}
		for j, d := range y.vjp(dy) {
			in := n.wrt()[j]
			if d == nil || in == nil || !need[in] {
				continue
			}
			if !slices.Equal(d.Shape, in.Shape) {
				fail("cotangent %v of input %d of %s, which is %v", d.Shape, j, n.op, in.Shape)
			}
			if a := cotangent[in]; a != nil {
				d = Add(a, d)
			}
			cotangent[in] = d
		}
	}
	out := make([]*T, len(wrt))
	for i, w := range wrt {
		if out[i] = cotangent[w]; out[i] == nil {
			out[i] = Expand(g.Scalar(0), w.Shape...)
		}
	}
	return out
}
