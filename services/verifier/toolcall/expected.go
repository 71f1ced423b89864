package toolcall

import (
	"errors"
	"fmt"

	"github.com/provenir/provenir/internal/strictjson"
)

// expectation is a call that was asked for.
type expectation struct {
	name      string
	arguments map[string]any // of values or matchers; in mode bfcl of lists of allowed values
}

// readExpected reads the column expected: a list of {"name", "arguments"}, or of {name: arguments}.
func readExpected(raw []byte) ([]expectation, error) {
	items, err := strictjson.Array(raw, limits)
	if err != nil {
		return nil, fmt.Errorf("expected: %w", err)
	}
	out := make([]expectation, 0, len(items))
	for i, item := range items {
		v, err := value(item)
		if err != nil {
			return nil, fmt.Errorf("expected[%d]: %w", i, err)
		}
		m, _ := v.(map[string]any)
		e, err := readExpectation(m)
		if err != nil {
			return nil, fmt.Errorf("expected[%d]: %w", i, err)
		}
		out = append(out, e)
	}
	return out, nil
}

func readExpectation(m map[string]any) (expectation, error) {
	if name, ok := m["name"].(string); ok {
		switch arguments := m["arguments"].(type) {
		case nil:
			return expectation{name: name, arguments: map[string]any{}}, nil
		case map[string]any:
			return expectation{name: name, arguments: arguments}, nil
		}
		return expectation{}, errors.New("arguments are not an object")
	}
	if len(m) != 1 {
		return expectation{}, errors.New(`want {"name", "arguments"} or {name: arguments}`)
	}
	for name, v := range m {
		if arguments, ok := v.(map[string]any); ok {
			return expectation{name: name, arguments: arguments}, nil
		}
	}
	return expectation{}, errors.New("arguments are not an object")
}
