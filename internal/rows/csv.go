package rows

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// table reads CSV (RFC 4180) with a header. Every value is a text: whether 007 is a number nobody can tell.
func (r *Reader) table(in io.Reader) (func() (Row, error), error) {
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, err := b.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		if _, err := b.Discard(len(byteOrderMark)); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.name, err)
		}
	}
	c := csv.NewReader(b)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("read %s: the header: %w", r.name, err)
	}
	header = append([]string(nil), header...)
	seen := map[string]bool{}
	for _, h := range header {
		if h == "" || seen[h] {
			return nil, fmt.Errorf("read %s: the header has the column %q twice, or one without a name", r.name, h)
		}
		seen[h] = true
	}
	return func() (Row, error) {
		record, err := c.Read()
		var parse *csv.ParseError
		switch {
		case errors.As(err, &parse):
			return Row{}, &RowError{Name: r.name, Line: parse.StartLine, Code: "bad_row", Err: parse.Err}
		case errors.Is(err, io.EOF):
			return Row{}, err
		case err != nil:
			return Row{}, fmt.Errorf("read %s: %w", r.name, err)
		}
		line, _ := c.FieldPos(0) // of a record without any field it would panic
		row := Row{Line: line, Fields: make([]Field, len(header))}
		size := 0
		for i, cell := range record {
			if size += len(cell); size > r.max {
				return Row{}, &RowError{Name: r.name, Line: line, Code: "too_large", Err: fmt.Errorf("the row has more than %d bytes", r.max)}
			}
			if !utf8.ValidString(cell) {
				return Row{}, &RowError{Name: r.name, Line: line, Code: "bad_row", Err: fmt.Errorf("column %s is not UTF-8", header[i])}
			}
			value, err := text(cell)
			if err != nil {
				return Row{}, &RowError{Name: r.name, Line: line, Code: "bad_row", Err: err}
			}
			row.Fields[i] = Field{header[i], value}
		}
		return row, nil
	}, nil
}

// text writes a JSON string as it is, without escaping what only HTML cares about.
func text(s string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
