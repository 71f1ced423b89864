// Package harden is `provenir verify-reliability` and `provenir reward-validity`: whether a verifier can be fooled, and
// whether a reward is bound to its task.
package harden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/internal/rows"
)

// read gives the rows of a file as JSON objects. A bad row ends it: a report over the others would be one of another file.
func read(a *app.App, path string) ([][]byte, error) {
	in, err := a.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := rows.Open(path, in, rows.Options{})
	if err != nil {
		return nil, app.Usage(err)
	}
	defer r.Close()
	var out [][]byte
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, app.Usage(err)
		}
		var b bytes.Buffer
		b.WriteByte('{')
		for i, f := range row.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			key, err := json.Marshal(f.Key)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, row.Line, err)
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(f.JSON)
		}
		b.WriteByte('}')
		out = append(out, b.Bytes())
	}
}
