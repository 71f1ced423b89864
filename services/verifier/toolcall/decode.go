package toolcall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/provenir/provenir/internal/strictjson"
)

// maxText bounds a response.
const maxText = 1 << 20

var limits = strictjson.Limits{Bytes: maxText}

var errTruncated = errors.New("the call ends too early")

// take reads the JSON value at the beginning of s and gives what is behind it.
func take(s string) (raw []byte, rest string, err error) {
	d := json.NewDecoder(strings.NewReader(s))
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, "", errTruncated
		}
		return nil, "", fmt.Errorf("not JSON: %w", err)
	}
	if err := strictjson.Check(v, limits); err != nil {
		return nil, "", err
	}
	return v, s[d.InputOffset():], nil
}

// whole reads a text that is one JSON value and nothing else.
func whole(s string) ([]byte, error) {
	raw, rest, err := take(s)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = errors.New("text behind the JSON")
	}
	return raw, err
}

// value decodes JSON that was checked; numbers keep their digits.
func value(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// object decodes the arguments of a call.
func object(raw []byte) (map[string]any, error) {
	v, err := value(raw)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the arguments are not an object")
	}
	return m, nil
}

// named reads {"name": …, "arguments": {…}} with the names that a format gives the two; id is taken where it is there.
func named(raw []byte, name string, arguments ...string) (Call, error) {
	members, err := strictjson.Object(raw, limits)
	if err != nil {
		return Call{}, err
	}
	var c Call
	for _, m := range members {
		switch {
		case m.Key == name:
			if json.Unmarshal(m.Value, &c.Name) != nil || c.Name == "" {
				return Call{}, fmt.Errorf("%s is not a name", name)
			}
		case m.Key == "id":
			_ = json.Unmarshal(m.Value, &c.ID) // a number there is no id that anybody compares
		default:
			for _, a := range arguments {
				if m.Key != a {
					continue
				}
				if c.Arguments != nil {
					return Call{}, errors.New("the arguments are there twice")
				}
				if c.Arguments, err = object(m.Value); err != nil {
					return Call{}, err
				}
			}
		}
	}
	switch {
	case c.Name == "":
		return Call{}, fmt.Errorf("a call without %s", name)
	case c.Arguments == nil:
		return Call{}, fmt.Errorf("a call without %s", arguments[0])
	}
	return c, nil
}

// list reads an array of calls, or one call.
func list(raw []byte, one func([]byte) (Call, error)) ([]Call, error) {
	if len(raw) > 0 && raw[0] == '{' {
		c, err := one(raw)
		return []Call{c}, err
	}
	items, err := strictjson.Array(raw, limits)
	if err != nil {
		return nil, err
	}
	calls := make([]Call, 0, len(items))
	for _, item := range items {
		c, err := one(item)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return nil, errors.New("an empty list of calls")
	}
	return calls, nil
}

// nameAndArguments is what most formats write.
func nameAndArguments(raw []byte) (Call, error) { return named(raw, "name", "arguments") }

// isName says whether a text can be the name of a function: letters, digits, and _ - . : /.
func isName(s string) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.:/", r), r > 127:
		default:
			return false
		}
	}
	return s != ""
}
