package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// rowOf is the row as a dict, with the response that is judged.
func rowOf(c *verdict.Candidate, response string) (*starlark.Dict, error) {
	row := starlark.NewDict(len(c.Row) + 1)
	for _, f := range c.Row {
		v, err := decode(f.JSON)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Key, err)
		}
		if err := row.SetKey(starlark.String(f.Key), v); err != nil {
			return nil, err
		}
	}
	return row, row.SetKey(starlark.String("response"), starlark.String(response))
}

func decode(raw []byte) (starlark.Value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return toStarlark(v)
}

// toStarlark takes decoded JSON. Integers stay exact.
func toStarlark(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			if i, ok := new(big.Int).SetString(string(v), 10); ok {
				return starlark.MakeBigInt(i), nil
			}
		}
		f, err := v.Float64()
		return starlark.Float(f), err
	case []any:
		items := make([]starlark.Value, len(v))
		for i := range v {
			var err error
			if items[i], err = toStarlark(v[i]); err != nil {
				return nil, err
			}
		}
		return starlark.NewList(items), nil
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys) // a program may walk over them
		d := starlark.NewDict(len(v))
		for _, k := range keys {
			item, err := toStarlark(v[k])
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(starlark.String(k), item); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

const maxDepth = 128

// fromStarlark gives what encoding/json would have decoded.
func fromStarlark(v starlark.Value, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil //nolint:nilnil // None is null
	case starlark.Bool:
		return bool(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	case starlark.Float:
		b, err := json.Marshal(float64(v))
		return json.Number(b), err
	case *starlark.Dict:
		out := make(map[string]any, v.Len())
		for _, item := range v.Items() {
			key, ok := starlark.AsString(item[0])
			if !ok {
				return nil, fmt.Errorf("a key that is a %s", item[0].Type())
			}
			value, err := fromStarlark(item[1], depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = value
		}
		return out, nil
	case starlark.Indexable: // lists and tuples
		out := make([]any, v.Len())
		for i := range out {
			var err error
			if out[i], err = fromStarlark(v.Index(i), depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a %s has no JSON", v.Type())
}
