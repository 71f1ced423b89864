// Package protoyaml reads YAML into a proto message as strictly as the message itself: an unknown key, a wrong type or
// a number out of range is an error with file, line, key and, for a typing slip, the nearest name.
//
// Keys are proto field names (snake case; lowerCamel is taken too). Enum values may be written short and in any case:
// grpo for ALGORITHM_GRPO. Durations, structs and maps are written as protojson has them.
package protoyaml

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Unmarshal fills m from YAML. file names the source in errors.
func Unmarshal(file string, b []byte, m proto.Message) error {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))
	}
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		r := reader{file: file}
		if err := r.message(doc.Body, "", m.ProtoReflect()); err != nil {
			return err
		}
	}
	return nil
}

// Set fills one field by its path: hyper.max_steps=20. It is what --set does.
func Set(m proto.Message, path, text string) error {
	names := strings.Split(path, ".")
	var doc strings.Builder
	for i, n := range names {
		fmt.Fprintf(&doc, "%s%s:", strings.Repeat("  ", i), n)
		if i < len(names)-1 {
			doc.WriteByte('\n')
		}
	}
	fmt.Fprintf(&doc, " %s\n", text)
	return Unmarshal("--set", []byte(doc.String()), m)
}

type reader struct{ file string }

func (r reader) fail(n ast.Node, key, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", r.file, n.GetToken().Position.Line, key, fmt.Sprintf(format, args...))
}

func (r reader) message(n ast.Node, path string, m protoreflect.Message) error {
	if strings.HasPrefix(string(m.Descriptor().FullName()), "google.protobuf.") {
		return r.wellKnown(n, path, m)
	}
	entries, ok := n.(ast.MapNode)
	if !ok {
		return r.fail(n, path, "want fields of %s", m.Descriptor().Name())
	}
	seen := map[protoreflect.FieldNumber]bool{}
	for it := entries.MapRange(); it.Next(); {
		name := unquoted(it.Key())
		key := join(path, name)
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			fd = m.Descriptor().Fields().ByJSONName(name)
		}
		if fd == nil {
			taken, err := r.short(name, it.Value(), key, m)
			if err != nil {
				return err
			}
			if taken {
				continue
			}
			return r.fail(it.Key(), key, "unknown key%s", DidYouMean(name, fieldNames(m.Descriptor())))
		}
		if seen[fd.Number()] {
			return r.fail(it.Key(), key, "given twice")
		}
		seen[fd.Number()] = true
		if one := fd.ContainingOneof(); one != nil && !one.IsSynthetic() && m.WhichOneof(one) != nil && m.WhichOneof(one) != fd {
			return r.fail(it.Key(), key, "%s is given already; only one of %s may be", m.WhichOneof(one).Name(), one.Name())
		}
		if m.Descriptor().FullName() == verifierSpec && fd.Name() == "options" {
			if err := r.options(it.Value(), key, m); err != nil {
				return err
			}
			continue
		}
		if err := r.field(it.Value(), key, m, fd); err != nil {
			return err
		}
	}
	implied(m)
	return nil
}

func (r reader) field(n ast.Node, key string, m protoreflect.Message, fd protoreflect.FieldDescriptor) error {
	switch {
	case fd.IsMap():
		return r.mapField(n, key, m, fd)
	case fd.IsList():
		items, ok := n.(ast.ArrayNode)
		if !ok {
			return r.fail(n, key, "want a list")
		}
		list := m.Mutable(fd).List()
		for it := items.ArrayRange(); it.Next(); {
			v, err := r.value(it.Value(), key, list.NewElement, fd)
			if err != nil {
				return err
			}
			list.Append(v)
		}
		return nil
	case fd.Message() != nil:
		return r.message(n, key, m.Mutable(fd).Message())
	default:
		v, err := r.value(n, key, nil, fd)
		if err != nil {
			return err
		}
		m.Set(fd, v)
		return nil
	}
}

func (r reader) mapField(n ast.Node, key string, m protoreflect.Message, fd protoreflect.FieldDescriptor) error {
	entries, ok := n.(ast.MapNode)
	if !ok {
		return r.fail(n, key, "want keys and values")
	}
	out := m.Mutable(fd).Map()
	for it := entries.MapRange(); it.Next(); {
		name := unquoted(it.Key())
		v, err := r.value(it.Value(), join(key, name), out.NewValue, fd.MapValue())
		if err != nil {
			return err
		}
		out.Set(protoreflect.ValueOfString(name).MapKey(), v)
	}
	return nil
}

// value reads one scalar or message; make gives a new element for lists and maps of messages.
func (r reader) value(n ast.Node, key string, make func() protoreflect.Value, fd protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	if fd.Message() != nil {
		v := make()
		return v, r.message(n, key, v.Message())
	}
	v, err := scalar(n, fd)
	if err != nil {
		return v, r.fail(n, key, "%s", err)
	}
	return v, nil
}

// wellKnown goes through protojson, which knows how a Struct or a Duration is written.
func (r reader) wellKnown(n ast.Node, path string, m protoreflect.Message) error {
	var any any
	if err := yaml.NodeToValue(n, &any); err != nil {
		return r.fail(n, path, "%s", err)
	}
	b, err := yaml.MarshalWithOptions(any, yaml.JSON())
	if err != nil {
		return r.fail(n, path, "%s", err)
	}
	if err := protojson.Unmarshal(b, m.Interface()); err != nil {
		return r.fail(n, path, "want a %s", m.Descriptor().Name())
	}
	return nil
}

func fieldNames(d protoreflect.MessageDescriptor) []string {
	var out []string
	for i := range d.Fields().Len() {
		out = append(out, string(d.Fields().Get(i).Name()))
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func unquoted(n ast.Node) string { return n.GetToken().Value }
