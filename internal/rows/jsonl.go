package rows

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// lines reads one object a line; empty lines count as lines and give no row.
func (r *Reader) lines(in io.Reader) func() (Row, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	line := 0
	return func() (Row, error) {
		for {
			line++
			text, err := r.line(b)
			if line == 1 {
				text = bytes.TrimPrefix(text, byteOrderMark)
			}
			if errors.Is(err, errLongLine) {
				return Row{}, &RowError{Name: r.name, Line: line, Code: "too_large", Err: fmt.Errorf("the row has more than %d bytes", r.max)}
			}
			if text = bytes.TrimSpace(text); len(text) > 0 {
				if err != nil && !errors.Is(err, io.EOF) {
					return Row{}, fmt.Errorf("read %s: %w", r.name, err)
				}
				return r.object(text, line)
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					err = fmt.Errorf("read %s: %w", r.name, err)
				}
				return Row{}, err
			}
		}
	}
}

var errLongLine = errors.New("the line is too long")

// line reads up to the newline into fresh memory, because rows keep pointing into it. Of a line that is too long the
// rest is read and dropped.
func (r *Reader) line(b *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		part, err := b.ReadSlice('\n')
		if len(out)+len(part) > r.max+1 {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = b.ReadSlice('\n')
			}
			return nil, errors.Join(errLongLine, eofAside(err))
		}
		out = append(out, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return out, err
		}
	}
}

// eofAside hides the end of the file: it comes again with the next read.
func eofAside(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// array reads the objects of one JSON array without holding all of them.
func (r *Reader) array(in io.Reader) (func() (Row, error), error) {
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, err := b.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		if _, err := b.Discard(len(byteOrderMark)); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.name, err)
		}
	}
	d := json.NewDecoder(b)
	first, err := d.Token()
	if err != nil || first != json.Delim('[') {
		return nil, fmt.Errorf("read %s: want a JSON array of objects; one object a line is .jsonl", r.name)
	}
	n := 0
	return func() (Row, error) {
		if !d.More() {
			if _, err := d.Token(); err != nil {
				return Row{}, fmt.Errorf("read %s: the array does not end: %w", r.name, io.ErrUnexpectedEOF) // io.EOF would be its end
			}
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return Row{}, fmt.Errorf("read %s: text behind the array", r.name)
			}
			return Row{}, io.EOF
		}
		n++
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			if errors.Is(err, io.EOF) { // behind a comma; as io.EOF it would be taken for the end
				err = io.ErrUnexpectedEOF
			}
			return Row{}, fmt.Errorf("read %s: element %d: %w", r.name, n, err)
		}
		return r.object(raw, n)
	}, nil
}
