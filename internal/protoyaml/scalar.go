package protoyaml

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func scalar(n ast.Node, fd protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	s, ok := n.(ast.ScalarNode)
	if !ok || n.Type() == ast.NullType {
		return protoreflect.Value{}, fmt.Errorf("want a %s", fd.Kind())
	}
	text := s.GetToken().Value
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), nil
	case protoreflect.BoolKind:
		if text != "true" && text != "false" {
			return protoreflect.Value{}, fmt.Errorf("%q: want true or false", text)
		}
		return protoreflect.ValueOfBool(text == "true"), nil
	case protoreflect.EnumKind:
		return enum(text, fd.Enum())
	case protoreflect.BytesKind:
		return bytesOf(text)
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return float(text, fd.Kind())
	default:
		return integer(text, fd.Kind())
	}
}

// bytesOf takes a digest as 64 hex characters, else base64 as protojson has it.
func bytesOf(text string) (protoreflect.Value, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return protoreflect.Value{}, fmt.Errorf("%q: want base64", text)
	}
	return protoreflect.ValueOfBytes(b), nil
}

func float(text string, kind protoreflect.Kind) (protoreflect.Value, error) {
	bits := 64
	if kind == protoreflect.FloatKind {
		bits = 32
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), bits)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return protoreflect.Value{}, fmt.Errorf("%q: want a finite number", text)
	}
	if bits == 32 {
		return protoreflect.ValueOfFloat32(float32(x)), nil
	}
	return protoreflect.ValueOfFloat64(x), nil
}

func integer(text string, kind protoreflect.Kind) (protoreflect.Value, error) {
	digits := strings.ReplaceAll(text, "_", "")
	var v protoreflect.Value
	var err error
	switch kind {
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		var x uint64
		x, err = strconv.ParseUint(digits, 10, 32)
		v = protoreflect.ValueOfUint32(uint32(x))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		var x uint64
		x, err = strconv.ParseUint(digits, 10, 64)
		v = protoreflect.ValueOfUint64(x)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		var x int64
		x, err = strconv.ParseInt(digits, 10, 32)
		v = protoreflect.ValueOfInt32(int32(x))
	default:
		var x int64
		x, err = strconv.ParseInt(digits, 10, 64)
		v = protoreflect.ValueOfInt64(x)
	}
	if err != nil {
		return v, fmt.Errorf("%q: want a whole number (%s)", text, kind)
	}
	return v, nil
}

func enum(text string, d protoreflect.EnumDescriptor) (protoreflect.Value, error) {
	want := strings.ToUpper(text)
	var short []string
	prefix := enumPrefix(string(d.Name()))
	for i := range d.Values().Len() {
		name := string(d.Values().Get(i).Name())
		if name == want || name == prefix+want {
			return protoreflect.ValueOfEnum(d.Values().Get(i).Number()), nil
		}
		if i > 0 {
			short = append(short, strings.ToLower(strings.TrimPrefix(name, prefix)))
		}
	}
	return protoreflect.Value{}, fmt.Errorf("%q: want one of %s%s", text, strings.Join(short, ", "), DidYouMean(strings.ToLower(text), short))
}

// enumPrefix is the prefix that the linter asks for: RunState gives RUN_STATE_.
func enumPrefix(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String()) + "_"
}
