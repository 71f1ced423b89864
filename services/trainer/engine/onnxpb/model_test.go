package onnxpb

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields reads one message into its fields, in order.
func fields(t *testing.T, b []byte) map[protowire.Number][][]byte {
	t.Helper()
	out := map[protowire.Number][][]byte{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m := protowire.ConsumeFieldValue(num, typ, b[n:])
		if m < 0 {
			t.Fatal(protowire.ParseError(m))
		}
		v := b[n : n+m]
		if typ == protowire.BytesType {
			v, _ = protowire.ConsumeBytes(v)
		}
		out[num] = append(out[num], v)
		b = b[n+m:]
	}
	return out
}

// The numbers are those of onnx-ml.proto; a wrong one makes a model that loads as something else, or not at all.
func TestModelFields(t *testing.T) {
	m := Model{IRVersion: 10, Producer: "p", Opsets: []Opset{{Version: 24}, {Domain: "com.microsoft", Version: 1}}, Graph: Graph{
		Name:         "g",
		Nodes:        []Node{{Name: "n", Op: "Add", Domain: "d", Inputs: []string{"x", ""}, Outputs: []string{"y"}, Attributes: []Attribute{{Name: "axis", Kind: KindInt, Int: -1}}}},
		Initializers: []Tensor{{Name: "c", Type: Float, Dims: []int{1}, Raw: []byte{0, 0, 0x80, 0x3f}}},
		Inputs:       []ValueInfo{{Name: "x", Type: Float, Dims: []int{2, 3}}},
		Outputs:      []ValueInfo{{Name: "y", Type: Int64, Dims: []int{2}}},
	}}
	raw := m.Marshal()
	if !bytes.Equal(raw, m.Marshal()) {
		t.Error("the same model gave other bytes")
	}
	top := fields(t, raw)
	if top[1][0][0] != 10 || string(top[2][0]) != "p" || len(top[8]) != 2 {
		t.Fatalf("model %v", top)
	}
	if o := fields(t, top[8][1]); string(o[1][0]) != "com.microsoft" || o[2][0][0] != 1 {
		t.Errorf("opset %v", o)
	}
	g := fields(t, top[7][0])
	if string(g[2][0]) != "g" || len(g[1]) != 1 || len(g[5]) != 1 || len(g[11]) != 1 || len(g[12]) != 1 {
		t.Fatalf("graph %v", g)
	}
	n := fields(t, g[1][0])
	if len(n[1]) != 2 || string(n[1][1]) != "" || string(n[2][0]) != "y" || string(n[3][0]) != "n" || string(n[4][0]) != "Add" || string(n[7][0]) != "d" {
		t.Errorf("node %v", n)
	}
	c := fields(t, g[5][0])
	if c[1][0][0] != 1 || c[2][0][0] != 1 || string(c[8][0]) != "c" || len(c[9][0]) != 4 {
		t.Errorf("initializer %v", c)
	}
	in := fields(t, fields(t, fields(t, g[11][0])[2][0])[1][0])
	dims := fields(t, in[2][0])[1]
	if in[1][0][0] != 1 || len(dims) != 2 || fields(t, dims[1])[1][0][0] != 3 {
		t.Errorf("input type %v", in)
	}
}

func TestAttributeKinds(t *testing.T) {
	for _, c := range []struct {
		a     Attribute
		field protowire.Number
		count int
	}{
		{Attribute{Name: "a", Kind: KindFloat, Float: 1}, 2, 1},
		{Attribute{Name: "a", Kind: KindInt, Int: 5}, 3, 1},
		{Attribute{Name: "a", Kind: KindString, String: "x"}, 4, 1},
		{Attribute{Name: "a", Kind: KindGraph, Graph: &Graph{Name: "b"}}, 6, 1},
		{Attribute{Name: "a", Kind: KindInts, Ints: []int64{1, 2, 3}}, 8, 3},
	} {
		f := fields(t, c.a.append(nil))
		if len(f[c.field]) != c.count || f[20][0][0] != byte(c.a.Kind) || string(f[1][0]) != "a" {
			t.Errorf("kind %d: %v", c.a.Kind, f)
		}
	}
}

func TestExternalTensor(t *testing.T) {
	f := fields(t, Tensor{Name: "w", Type: BFloat16, Dims: []int{2}, External: &External{Location: "m.safetensors", Offset: 64, Length: 4}}.append(nil))
	want := map[string]string{"location": "m.safetensors", "offset": "64", "length": "4"}
	for _, e := range f[13] {
		kv := fields(t, e)
		if want[string(kv[1][0])] != string(kv[2][0]) {
			t.Errorf("entry %s is %s", kv[1][0], kv[2][0])
		}
	}
	if len(f[13]) != 3 || f[14][0][0] != 1 || f[9] != nil {
		t.Errorf("external tensor %v", f)
	}
}
