package enginelog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// lines reads one row a line.
type lines struct {
	name  string
	in    *bufio.Reader
	n     uint64
	rows  uint64
	talk  uint64                                  // lines that are no row
	parse func(line []byte) ([]byte, bool, error) // ok is false for lines that are no row
}

func (l *lines) next() (Row, error) {
	for {
		text, err := l.read()
		if errors.Is(err, errLong) {
			return Row{}, &RowError{l.n, fmt.Errorf("the row has more than %d bytes", MaxRow)}
		}
		if len(text) == 0 && err != nil {
			return Row{}, l.ended(err)
		}
		row, ok, bad := l.parse(text)
		if bad != nil {
			return Row{}, &RowError{l.n, bad}
		}
		if ok {
			l.rows++
			return Row{Line: l.n, JSON: row}, nil
		}
		if len(text) > 0 {
			l.talk++
		}
		if err != nil {
			return Row{}, l.ended(err)
		}
	}
}

// ended says what a text without any row is: no log, and not an empty one.
func (l *lines) ended(err error) error {
	if errors.Is(err, io.EOF) && l.rows == 0 && l.talk > 0 {
		return &FormatError{l.name, fmt.Sprintf("none of its %d lines is a row", l.talk)}
	}
	return err
}

var errLong = errors.New("the line is too long")

// read gives a line in memory of its own, the last one also without its end.
func (l *lines) read() ([]byte, error) {
	l.n++
	var out []byte
	long := false
	for {
		part, err := l.in.ReadSlice('\n')
		if long = long || len(out)+len(part) > MaxRow+1; !long {
			out = append(out, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case long && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLong
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w", l.n, err)
		}
		return bytes.TrimSpace(bytes.TrimPrefix(out, []byte("\xef\xbb\xbf"))), err
	}
}

func object(line []byte) ([]byte, bool, error) { return line, len(line) > 0, nil }

// console reads lines such as "step:12 - actor/entropy:0.41 - critic/score/mean:0.5", whatever a logger puts before them.
// All other lines are a program's talk.
func console(line []byte) ([]byte, bool, error) {
	at := bytes.Index(line, []byte("step:"))
	if at < 0 || at > 0 && line[at-1] != ' ' && line[at-1] != ']' && line[at-1] != ')' && line[at-1] != '\t' {
		return nil, false, nil
	}
	out := []byte{'{'}
	for i, part := range bytes.Split(line[at:], []byte(" - ")) {
		colon := bytes.LastIndexByte(part, ':')
		if colon <= 0 {
			continue
		}
		key, value := bytes.TrimSpace(part[:colon]), bytes.TrimSpace(part[colon+1:])
		if i == 0 {
			if _, err := strconv.ParseUint(string(value), 10, 63); err != nil {
				return nil, false, nil // a sentence about steps
			}
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, string(key))
		out = append(append(out, ':'), literal(value)...)
	}
	return append(out, '}'), len(out) > 1, nil
}

// literal writes a value as JSON: a number as it is, anything else as a text.
func literal(value []byte) []byte {
	// np.float64(0.5) is how newer numpy prints a number.
	if open := bytes.IndexByte(value, '('); open > 0 && bytes.HasPrefix(value, []byte("np.")) && bytes.HasSuffix(value, []byte(")")) {
		value = value[open+1 : len(value)-1]
	}
	switch string(value) {
	case "nan":
		return []byte(`"NaN"`)
	case "inf":
		return []byte(`"Infinity"`)
	case "-inf":
		return []byte(`"-Infinity"`)
	case "None":
		return []byte("null")
	}
	if x, err := strconv.ParseFloat(string(value), 64); err == nil && x-x == 0 {
		return strconv.AppendFloat(nil, x, 'g', -1, 64)
	}
	return strconv.AppendQuote(nil, string(value))
}
