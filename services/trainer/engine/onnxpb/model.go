// Package onnxpb writes ONNX models: exactly the messages that package tg emits, by hand on protobuf's wire helpers.
//
// A generated package for the whole schema would be forty times as long and would be used in one direction only. Field
// numbers are those of the public schema (onnx-ml.proto, IR version 10); message and field names follow it.
package onnxpb

import "google.golang.org/protobuf/encoding/protowire"

// DataType is TensorProto.DataType.
type DataType int32

// Element types.
const (
	Float    DataType = 1
	Int32    DataType = 6
	Int64    DataType = 7
	Bool     DataType = 9
	Float16  DataType = 10
	BFloat16 DataType = 16
)

// Model is ModelProto.
type Model struct {
	IRVersion int64
	Producer  string
	Opsets    []Opset
	Graph     Graph
}

// Opset is OperatorSetIdProto; the empty domain is ai.onnx.
type Opset struct {
	Domain  string
	Version int64
}

// Graph is GraphProto.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Tensor
	Inputs       []ValueInfo
	Outputs      []ValueInfo
}

// Node is NodeProto. An empty input name is an optional input left out.
type Node struct {
	Name, Op, Domain string
	Inputs, Outputs  []string
	Attributes       []Attribute
}

// ValueInfo is ValueInfoProto of a tensor with a static shape.
type ValueInfo struct {
	Name string
	Type DataType
	Dims []int
}

// Marshal is the model's wire form; equal models give equal bytes.
func (m Model) Marshal() []byte {
	b := varint(nil, 1, uint64(m.IRVersion))
	b = text(b, 2, m.Producer)
	b = message(b, 7, m.Graph.append(nil))
	for _, o := range m.Opsets {
		b = message(b, 8, varint(text(nil, 1, o.Domain), 2, uint64(o.Version)))
	}
	return b
}

func (g Graph) append(b []byte) []byte {
	for _, n := range g.Nodes {
		b = message(b, 1, n.append(nil))
	}
	b = text(b, 2, g.Name)
	for _, t := range g.Initializers {
		b = message(b, 5, t.append(nil))
	}
	for _, v := range g.Inputs {
		b = message(b, 11, v.append(nil))
	}
	for _, v := range g.Outputs {
		b = message(b, 12, v.append(nil))
	}
	return b
}

func (n Node) append(b []byte) []byte {
	for _, s := range n.Inputs {
		b = text(b, 1, s)
	}
	for _, s := range n.Outputs {
		b = text(b, 2, s)
	}
	b = text(b, 3, n.Name)
	b = text(b, 4, n.Op)
	for _, a := range n.Attributes {
		b = message(b, 5, a.append(nil))
	}
	return text(b, 7, n.Domain)
}

func (v ValueInfo) append(b []byte) []byte {
	var shape []byte
	for _, d := range v.Dims {
		shape = message(shape, 1, varint(nil, 1, uint64(d)))
	}
	tensor := message(varint(nil, 1, uint64(v.Type)), 2, shape)
	return message(text(b, 1, v.Name), 2, message(nil, 1, tensor))
}

func varint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}
