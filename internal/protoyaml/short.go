package protoyaml

import (
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// The messages that people write shorter than they are, by name.
const (
	verifierSpec = "provenir.verifier.v1.Spec"
	rewardExpr   = "provenir.verifier.v1.RewardExpr"
)

// short takes a key that is no field: an option beside a verifier's name, and the one input of a reward operation under
// of. taken is false for any other.
func (r reader) short(name string, n ast.Node, key string, m protoreflect.Message) (taken bool, err error) {
	switch m.Descriptor().FullName() {
	case verifierSpec:
		return true, r.option(name, n, key, m)
	case rewardExpr:
		if name != "of" {
			return false, nil
		}
		parts := m.Descriptor().Fields().ByName("parts")
		if m.Has(parts) {
			return true, r.fail(n, key, "give of or parts, not both")
		}
		if _, list := n.(ast.ArrayNode); list {
			return true, r.field(n, key, m, parts)
		}
		to := m.Mutable(parts).List()
		v := to.NewElement()
		if err := r.message(n, key, v.Message()); err != nil {
			return true, err
		}
		to.Append(v)
		return true, nil
	}
	return false, nil
}

// option puts a value under options.
func (r reader) option(name string, n ast.Node, key string, m protoreflect.Message) error {
	options, ok := m.Mutable(m.Descriptor().Fields().ByName("options")).Message().Interface().(*structpb.Struct)
	if !ok {
		return r.fail(n, key, "unknown key")
	}
	if _, twice := options.GetFields()[name]; twice {
		return r.fail(n, key, "either under options or beside name, not both")
	}
	var value any
	if err := yaml.NodeToValue(n, &value); err != nil {
		return r.fail(n, key, "%s", err)
	}
	v, err := structpb.NewValue(plain(value))
	if err != nil {
		return r.fail(n, key, "%s", err)
	}
	if options.Fields == nil {
		options.Fields = map[string]*structpb.Value{}
	}
	options.Fields[name] = v
	return nil
}

// options takes them one by one, since some may stand beside the name already.
func (r reader) options(n ast.Node, key string, m protoreflect.Message) error {
	entries, ok := n.(ast.MapNode)
	if !ok {
		return r.fail(n, key, "want keys and values")
	}
	for it := entries.MapRange(); it.Next(); {
		name := unquoted(it.Key())
		if err := r.option(name, it.Value(), join(key, name), m); err != nil {
			return err
		}
	}
	return nil
}

// plain brings the numbers of YAML to those that a Struct knows.
func plain(v any) any {
	switch v := v.(type) {
	case uint64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// implied sets the operation of {member: 1} and {value: 0.5}.
func implied(m protoreflect.Message) {
	if m.Descriptor().FullName() != rewardExpr {
		return
	}
	fields := m.Descriptor().Fields()
	op := fields.ByName("op")
	switch {
	case m.Has(op):
	case m.Has(fields.ByName("member")):
		m.Set(op, protoreflect.ValueOfString("member"))
	case m.Has(fields.ByName("value")):
		m.Set(op, protoreflect.ValueOfString("const"))
	}
}
