package verdict

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Candidate is what is judged.
type Candidate struct {
	ID       string
	Response string // what the policy wrote; bytes need not be UTF-8
	Row      Row
	Rollout  []byte // its bytes, a core.v1.Rollout, for judges that read more of it than what the policy wrote; nil where there are none
	Tokens   int    // tokens that the policy sampled; 0 where nobody counted
}

// Field is a column of the task's row. The value is JSON, so numbers stay exact.
type Field struct {
	Key  string
	JSON []byte
}

// Row is what the task says: reference, tests and the like.
type Row []Field

// Get finds a column.
func (r Row) Get(key string) ([]byte, bool) {
	for i := range r {
		if r[i].Key == key {
			return r[i].JSON, true
		}
	}
	return nil, false
}

// Judge gives verdicts. It is safe for concurrent use and depends on its arguments only.
type Judge interface {
	Judge(c *Candidate) Verdict
}

// Fields renames columns: Reference is the column of the reference, Response that of the response, where it is not the
// candidate's own. Empty takes the usual one.
type Fields struct{ Reference, Response string }

// ErrNoReference is the answer for a row whose reference is absent, null or empty. Empty never equals empty.
var ErrNoReference = errors.New("the row has no reference; give a column reference or references, or name it with fields")

// References reads the golds of a row: column references (a list) if there is one, else reference.
func (f Fields) References(r Row) ([]string, error) {
	key := f.Reference
	if key == "" {
		if raw, ok := r.Get("references"); ok {
			return readReferences("references", raw)
		}
		key = "reference"
	}
	raw, ok := r.Get(key)
	if !ok {
		return nil, ErrNoReference
	}
	return readReferences(key, raw)
}

func readReferences(key string, raw []byte) ([]string, error) {
	if s, ok := plainString(raw); ok {
		if strings.TrimSpace(s) == "" {
			return nil, ErrNoReference
		}
		return []string{s}, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		s, err := Text(item)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", key, err)
		}
		if strings.TrimSpace(s) == "" {
			return nil, ErrNoReference
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, ErrNoReference
	}
	return out, nil
}

// plainString reads a JSON string without escapes, which most references are.
func plainString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false
	}
	body := raw[1 : len(raw)-1]
	for _, b := range body {
		if b == '\\' || b == '"' || b < ' ' || b >= 0x80 {
			return "", false
		}
	}
	return string(body), true
}

// Text reads a JSON string or number; a number keeps its digits.
func Text(raw []byte) (string, error) {
	raw = []byte(strings.TrimSpace(string(raw)))
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", ErrNoReference
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", fmt.Errorf("not a JSON string: %w", err)
		}
		return s, nil
	case raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'):
		var n json.Number
		if err := json.Unmarshal(raw, &n); err != nil {
			return "", fmt.Errorf("not a JSON number: %w", err)
		}
		return n.String(), nil
	default:
		return "", fmt.Errorf("want a string or a number, have %.20q", raw)
	}
}

// Read gives the text that is judged: the candidate's response, or the column that the spec names.
func (f Fields) Read(c *Candidate) (string, error) {
	if f.Response == "" {
		return c.Response, nil
	}
	raw, ok := c.Row.Get(f.Response)
	if !ok {
		return "", fmt.Errorf("the row has no column %q, which fields.response names", f.Response)
	}
	return Text(raw)
}
