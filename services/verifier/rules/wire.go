package rules

import (
	"fmt"
	"math/big"

	"go.starlark.net/starlark"
)

// wire is what a program returned, as it crosses to another process: the same value is read there, bytes that are no UTF-8 and
// integers of any size among it.
type wire struct {
	Type  string // Starlark's name of it
	Bool  bool
	Text  string // of a string, and an integer's digits
	Float float64
	Items []wire // of a list or tuple; of a dict keys and values in turn
}

// maxText is how much of a text crosses: more than any text of a result may have, so that one which is too long stays so.
const maxText = maxResult + 1

// toWire takes what a verdict can be made of; of anything else only the type is told.
func toWire(v starlark.Value, depth int) (wire, error) {
	out := wire{Type: v.Type()}
	if depth > maxDepth {
		return out, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	add := func(v starlark.Value) error {
		item, err := toWire(v, depth+1)
		out.Items = append(out.Items, item)
		return err
	}
	switch v := v.(type) {
	case starlark.Bool:
		out.Bool = bool(v)
	case starlark.String:
		out.Text = string(v)[:min(len(v), maxText)]
	case starlark.Int:
		out.Text = v.String()
	case starlark.Float:
		out.Float = float64(v)
	case *starlark.Dict:
		for _, item := range v.Items() {
			for _, part := range item {
				if err := add(part); err != nil {
					return out, err
				}
			}
		}
	case *starlark.List:
		for i := range v.Len() {
			if err := add(v.Index(i)); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// foreign is a value of which only the type crossed.
type foreign struct{ name string }

func (f foreign) String() string        { return f.name }
func (f foreign) Type() string          { return f.name }
func (f foreign) Freeze()               {}
func (f foreign) Truth() starlark.Bool  { return starlark.True }
func (f foreign) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: %s", f.name) }

// value is what toWire took.
func (w *wire) value() (starlark.Value, error) {
	switch w.Type {
	case "NoneType":
		return starlark.None, nil
	case "bool":
		return starlark.Bool(w.Bool), nil
	case "string":
		return starlark.String(w.Text), nil
	case "int":
		i, ok := new(big.Int).SetString(w.Text, 10)
		if !ok {
			return nil, fmt.Errorf("%.40q is no integer", w.Text)
		}
		return starlark.MakeBigInt(i), nil
	case "float":
		return starlark.Float(w.Float), nil
	case "list":
		items := make([]starlark.Value, len(w.Items))
		for i := range w.Items {
			var err error
			if items[i], err = w.Items[i].value(); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(items), nil
	case "dict":
		d := starlark.NewDict(len(w.Items) / 2)
		for i := 0; i+1 < len(w.Items); i += 2 {
			key, err := w.Items[i].value()
			if err != nil {
				return nil, err
			}
			v, err := w.Items[i+1].value()
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(key, v); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return foreign{w.Type}, nil
}
