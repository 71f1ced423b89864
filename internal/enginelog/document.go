package enginelog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/provenir/provenir/internal/rows"
)

// maxDocument bounds a log that is one JSON document, which has to be read whole.
const maxDocument = 256 << 20

// document reads a JSON array of rows, or a trainer_state.json, whose rows are in log_history.
func document(name string, in io.Reader) (func() (Row, error), error) {
	text, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxDocument {
		return nil, &FormatError{name, fmt.Sprintf("a document of more than %d MiB is not read whole: write one row a line", maxDocument>>20)}
	}
	text, _ = QuoteNonFinite(text)
	var state struct {
		History []json.RawMessage `json:"log_history"`
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		if err := json.Unmarshal(text, &state); err != nil {
			return nil, &FormatError{name, "no JSON: " + err.Error()}
		}
		if state.History == nil {
			return nil, &FormatError{name, "the object has no log_history"}
		}
		list = state.History
	}
	n := 0
	return func() (Row, error) {
		if n == len(list) {
			return Row{}, io.EOF
		}
		n++
		return Row{Line: uint64(n), JSON: list[n-1]}, nil
	}, nil
}

// table reads CSV with a header. An empty cell is absent.
func table(name string, in *bufio.Reader) (func() (Row, error), error) {
	r, err := rows.Open(name, in, rows.Options{Format: "csv", MaxRow: MaxRow})
	if err != nil {
		return nil, &FormatError{name, err.Error()}
	}
	return func() (Row, error) {
		row, err := r.Next()
		var bad *rows.RowError
		if errors.As(err, &bad) {
			return Row{}, &RowError{uint64(bad.Line), bad.Err}
		}
		if err != nil {
			return Row{}, err
		}
		out := []byte{'{'}
		for i, f := range row.Fields {
			if i > 0 {
				out = append(out, ',')
			}
			key, err := json.Marshal(f.Key)
			if err != nil {
				return Row{}, err
			}
			out = append(append(append(out, key...), ':'), f.JSON...)
		}
		return Row{Line: uint64(row.Line), JSON: append(out, '}')}, nil
	}, nil
}
