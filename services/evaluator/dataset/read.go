// Package dataset reads datasets row by row and names what is wrong with them.
package dataset

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/provenir/provenir/internal/strictjson"
)

// Row is one line.
type Row struct {
	Line   uint64 // from 1
	Raw    []byte // trimmed; valid until the next row
	Fields map[string]json.RawMessage
	ID     string
}

// MaxLine bounds one row in bytes.
const MaxLine = 4 << 20

// Each calls f for each row that is a JSON object, and bad for each line that is not. Blank lines are passed over.
func Each(r io.Reader, f func(Row) error, bad func(line uint64, kind, detail string)) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxLine)
	line := uint64(0)
	for s.Scan() {
		line++
		b := bytes.TrimSpace(s.Bytes())
		if line == 1 {
			b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		}
		if len(b) == 0 {
			continue
		}
		row, kind, detail := parse(b)
		if kind != "" {
			bad(line, kind, detail)
			continue
		}
		row.Line = line
		if err := f(row); err != nil {
			return err
		}
	}
	if s.Err() == bufio.ErrTooLong {
		bad(line+1, "too_long", fmt.Sprintf("the row has more than %d bytes", MaxLine))
		return nil
	}
	return s.Err()
}

// limits of a row: those of strictjson, but for its length.
var limits = strictjson.Limits{Bytes: MaxLine, Values: 1 << 20}

func parse(b []byte) (Row, string, string) {
	if !utf8.Valid(b) {
		return Row{}, "not_utf8", "the row is not UTF-8"
	}
	if b[0] != '{' {
		return Row{}, "not_json", "want a JSON object a line"
	}
	members, err := strictjson.Object(b, limits)
	if err != nil {
		return Row{}, kindOf(b, err), err.Error()
	}
	row := Row{Raw: b, Fields: make(map[string]json.RawMessage, len(members))}
	for _, m := range members {
		row.Fields[m.Key] = m.Value
	}
	if id, ok, err := row.Text("id"); ok {
		row.ID = id
		if err != nil {
			row.ID = string(row.Fields["id"])
		}
	}
	return row, "", ""
}

func kindOf(b []byte, err error) string {
	var e *strictjson.Error
	switch {
	case errors.As(err, &e) && e.Kind == strictjson.DuplicateKey:
		return "duplicate_key"
	case errors.As(err, &e) && e.Kind == strictjson.TooLarge:
		return "too_large"
	case bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Infinity")):
		return "non_finite"
	default:
		return "not_json"
	}
}

// Text reads a field as text; a number or boolean counts as its own spelling. ok is false when it is absent or null.
func (r Row) Text(key string) (string, bool, error) {
	raw, ok := r.Fields[key]
	if !ok || string(raw) == "null" {
		return "", false, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err == nil {
		return s, true, nil
	}
	if c := raw[0]; c == '[' || c == '{' {
		return "", true, fmt.Errorf("%s is not a text", key)
	}
	return string(raw), true, nil
}

// References are the texts that count as right: the field reference, a text or a list, and the list references.
func (r Row) References() ([]string, error) {
	var out []string
	for _, key := range []string{"reference", "references"} {
		raw, ok := r.Fields[key]
		if !ok || len(raw) == 0 || raw[0] != '[' {
			text, ok, err := r.Text(key)
			if err != nil || ok && key == "references" {
				return nil, fmt.Errorf("%s is neither a text nor a list of texts", key)
			}
			if ok {
				out = append(out, text)
			}
			continue
		}
		elements, err := strictjson.Array(raw, limits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		for _, e := range elements {
			text, ok, err := (Row{Fields: map[string]json.RawMessage{key: e}}).Text(key)
			if err != nil || !ok {
				return nil, fmt.Errorf("%s has an entry that is no text", key)
			}
			out = append(out, text)
		}
	}
	return out, nil
}

// Digest names a row's content.
func (r Row) Digest() [32]byte { return sha256.Sum256(r.Raw) }
