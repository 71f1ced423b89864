// Package dataset reads datasets row by row and names what is wrong with them.
package dataset

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
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

func parse(b []byte) (Row, string, string) {
	if !utf8.Valid(b) {
		return Row{}, "not_utf8", "the row is not UTF-8"
	}
	if b[0] != '{' {
		return Row{}, "not_json", "want a JSON object a line"
	}
	fields, err := object(b)
	if err != nil {
		kind := "not_json"
		switch {
		case strings.Contains(err.Error(), "twice"):
			kind = "duplicate_key"
		case bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Infinity")):
			kind = "non_finite"
		}
		return Row{}, kind, err.Error()
	}
	row := Row{Raw: b, Fields: fields}
	if id, ok := fields["id"]; ok {
		if json.Unmarshal(id, &row.ID) != nil {
			row.ID = string(id)
		}
	}
	return row, "", ""
}

// object reads the keys of one object, each once.
func object(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string) // inside an object a key is always a string
		if _, ok := out[key]; ok {
			return nil, fmt.Errorf("key %q is there twice", key)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the object")
	}
	return out, nil
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

// Digest names a row's content.
func (r Row) Digest() [32]byte { return sha256.Sum256(r.Raw) }
