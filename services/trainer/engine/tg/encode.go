package tg

import (
	"slices"

	"github.com/provenir/provenir/services/trainer/engine/onnxpb"
)

// Attrs are node attributes: int, []int, float32 or string. The key "domain" picks the operator's domain.
type Attrs map[string]any

func (a Attrs) encode() (out []onnxpb.Attribute, domain string) {
	keys := make([]string, 0, len(a))
	for k := range a {
		keys = append(keys, k)
	}
	slices.Sort(keys) // equal graphs, equal bytes
	for _, k := range keys {
		at := onnxpb.Attribute{Name: k}
		switch v := a[k].(type) {
		case int:
			at.Kind, at.Int = onnxpb.KindInt, int64(v)
		case float32:
			at.Kind, at.Float = onnxpb.KindFloat, v
		case []int:
			at.Kind = onnxpb.KindInts
			for _, x := range v {
				at.Ints = append(at.Ints, int64(x))
			}
		case string:
			if k == "domain" {
				domain = v
				continue
			}
			at.Kind, at.String = onnxpb.KindString, v
		default:
			fail("attribute %s of type %T", k, v)
		}
		out = append(out, at)
	}
	return out, domain
}

// live marks the nodes that the outputs need: a gradient that nobody asked for costs nothing.
func (g *Graph) live() (map[*node]bool, map[string]bool) {
	live, used := map[*node]bool{}, map[string]bool{}
	for _, o := range g.outputs {
		live[o.node] = true
	}
	for _, n := range slices.Backward(g.nodes) {
		if !live[n] {
			continue
		}
		for _, in := range n.in {
			if in == nil {
				continue
			}
			used[in.name] = true
			if in.node != nil {
				live[in.node] = true
			}
		}
	}
	return live, used
}

// NumNodes counts the nodes that Marshal writes.
func (g *Graph) NumNodes() int {
	live, _ := g.live()
	return len(live)
}

// Marshal is the model as ONNX bytes.
func (g *Graph) Marshal() []byte {
	live, used := g.live()
	out := onnxpb.Graph{Name: g.name}
	for _, n := range g.nodes {
		if !live[n] {
			continue
		}
		p := onnxpb.Node{Name: n.op + "_" + n.out[0].name, Op: n.op, Domain: n.domain, Attributes: n.attrs}
		for _, in := range n.in {
			if in == nil {
				p.Inputs = append(p.Inputs, "")
				continue
			}
			p.Inputs = append(p.Inputs, in.name)
		}
		for _, o := range n.out {
			p.Outputs = append(p.Outputs, o.name)
		}
		out.Nodes = append(out.Nodes, p)
	}
	for _, t := range g.inits {
		if used[t.Name] {
			out.Initializers = append(out.Initializers, t)
		}
	}
	for _, t := range g.inputs {
		out.Inputs = append(out.Inputs, onnxpb.ValueInfo{Name: t.name, Type: t.DT, Dims: t.Shape})
	}
	for _, t := range g.outputs {
		out.Outputs = append(out.Outputs, onnxpb.ValueInfo{Name: t.name, Type: t.DT, Dims: t.Shape})
	}
	return onnxpb.Model{IRVersion: 10, Producer: "provenir", Graph: out, Opsets: []onnxpb.Opset{
		{Version: Opset}, {Domain: "com.microsoft", Version: 1}}}.Marshal()
}
