// Package rows reads the rows of a training set and puts them in order.
package rows

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// Row is one row, already rendered: the trainer never applies chat templates.
type Row struct {
	ID         string
	Hash       [32]byte // of the line
	Prompt     []byte
	Completion []byte           // for SFT; nil when absent
	Columns    []*corev1.Column // everything else, sorted by key: goes to the verifier, never to the policy
}

// maxLine bounds one row; the evaluator has refused longer ones at ingest.
const maxLine = 4 << 20

// shownRows is how many bad rows an error names; it counts all.
const shownRows = 20

// BadRows are the rows that cannot be trained: the first of them with their lines, and how many there are.
type BadRows struct {
	Count int
	First []string
}

func (b *BadRows) Error() string {
	return fmt.Sprintf("%d rows cannot be read: %s", b.Count, strings.Join(b.First, "; "))
}

// Read reads JSON lines. The evaluator has validated the file; what is wrong here all the same is a *BadRows.
func Read(r io.Reader) ([]Row, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	var out []Row
	var bad BadRows
	for line := 1; s.Scan(); line++ {
		b := bytes.TrimSpace(s.Bytes())
		if len(b) == 0 {
			continue
		}
		row, err := parse(b)
		if err != nil {
			if bad.Count++; bad.Count <= shownRows {
				bad.First = append(bad.First, fmt.Sprintf("row %d: %v", line, err))
			}
			continue
		}
		if row.ID == "" {
			row.ID = fmt.Sprintf("row-%d", line)
		}
		out = append(out, row)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read the rows: %w", err)
	}
	if bad.Count > 0 {
		return nil, &bad
	}
	return out, nil
}

func parse(b []byte) (Row, error) {
	if !utf8.Valid(b) { // the decoder would put other characters in the place of what it cannot read
		return Row{}, errors.New("not UTF-8")
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return Row{}, err
	}
	row := Row{Hash: sha256.Sum256(b)}
	prompt, err := text(fields, "prompt")
	if err != nil {
		return Row{}, err
	}
	if row.Prompt = prompt; len(prompt) == 0 {
		return Row{}, fmt.Errorf("no prompt")
	}
	if row.Completion, err = text(fields, "completion"); err != nil {
		return Row{}, err
	}
	if id, ok := fields["id"]; ok {
		var s string
		if json.Unmarshal(id, &s) != nil {
			s = string(id) // a number
		}
		row.ID = s
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if k == "prompt" || k == "completion" {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, fields[k]); err != nil {
			return Row{}, err
		}
		row.Columns = append(row.Columns, &corev1.Column{Key: k, Json: compact.Bytes()})
	}
	return row, nil
}

func text(fields map[string]json.RawMessage, key string) ([]byte, error) {
	raw, ok := fields[key]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s is not a text", key)
	}
	return []byte(s), nil
}
