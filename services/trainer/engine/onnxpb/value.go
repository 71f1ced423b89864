package onnxpb

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Attribute is AttributeProto with the kinds that are used: exactly one of the values is set, as Kind says.
type Attribute struct {
	Name   string
	Kind   Kind
	Float  float32
	Int    int64
	String string
	Ints   []int64
	Graph  *Graph
}

// Kind is AttributeProto.AttributeType.
type Kind int32

// Attribute kinds.
const (
	KindFloat  Kind = 1
	KindInt    Kind = 2
	KindString Kind = 3
	KindGraph  Kind = 5
	KindInts   Kind = 7
)

func (a Attribute) append(b []byte) []byte {
	b = text(b, 1, a.Name)
	switch a.Kind {
	case KindFloat:
		b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(a.Float))
	case KindInt:
		b = varint(b, 3, uint64(a.Int))
	case KindString:
		b = text(b, 4, a.String)
	case KindGraph:
		b = message(b, 6, a.Graph.append(nil))
	case KindInts:
		for _, v := range a.Ints { // proto2: repeated scalars are not packed
			b = varint(b, 8, uint64(v))
		}
	}
	return varint(b, 20, uint64(a.Kind))
}

// Tensor is TensorProto: little-endian bytes in Raw, or a stretch of a file.
type Tensor struct {
	Name     string
	Type     DataType
	Dims     []int
	Raw      []byte
	External *External
}

// External says where the bytes of an initializer lie, relative to the folder that the session is told.
type External struct {
	Location       string
	Offset, Length int64
}

func (t Tensor) append(b []byte) []byte {
	for _, d := range t.Dims {
		b = varint(b, 1, uint64(d))
	}
	b = varint(b, 2, uint64(t.Type))
	b = text(b, 8, t.Name)
	if t.External == nil {
		return message(b, 9, t.Raw)
	}
	entry := func(key, value string) {
		b = message(b, 13, text(text(nil, 1, key), 2, value))
	}
	entry("location", t.External.Location)
	entry("offset", strconv.FormatInt(t.External.Offset, 10))
	entry("length", strconv.FormatInt(t.External.Length, 10))
	return varint(b, 14, 1) // DataLocation EXTERNAL
}
