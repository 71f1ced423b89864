// Package enginelog reads the logs that training engines write: JSON lines, verl's console lines, a trainer_state.json,
// a JSON array, CSV, Parquet, each also with gzip or Zstandard. A row comes out as the JSON object that it was, the bare tokens NaN
// and Infinity included, so that the one who judges it sees what the engine wrote.
//
// [Tail] follows a file that is still being written, over rotation and truncation.
package enginelog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// MaxRow bounds a row in bytes.
const MaxRow = 4 << 20

// Row is one row of a log.
type Row struct {
	Line uint64 // of the file, from 1; the number of the element in a document
	JSON []byte
}

// RowError is a row that cannot be read; those behind it can.
type RowError struct {
	Line uint64
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *RowError) Unwrap() error { return e.Err }

// FormatError says that a file is no log that can be read here.
type FormatError struct{ Name, Reason string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s; logs are JSON lines, a trainer_state.json, a JSON array, CSV, Parquet, or console lines of the form step:N - key:value", e.Name, e.Reason)
}

// Reader gives rows one by one. Close it.
type Reader struct {
	next  func() (Row, error)
	close func() // of what decompresses
	stop  func() // of the process that reads Parquet
}

// Next gives the next row, io.EOF after the last, or a *RowError behind which reading may go on.
func (r *Reader) Next() (Row, error) { return r.next() }

// Close frees what decompression holds; the file stays the caller's.
func (r *Reader) Close() {
	if r.stop != nil {
		r.stop()
	}
	if r.close != nil {
		r.close()
	}
}

// Open reads a log of that name. Its form is taken from what it begins with, since engines call JSON lines .json, .jsonl
// and .log alike.
func Open(name string, in io.Reader) (*Reader, error) {
	r := &Reader{}
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, &FormatError{name, "not gzip"}
		}
		in, r.close, name = z, func() { _ = z.Close() }, strings.TrimSuffix(name, ".gz")
	case strings.HasSuffix(name, ".zst"):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, &FormatError{name, "not Zstandard"}
		}
		in, r.close, name = z, z.Close, strings.TrimSuffix(name, ".zst")
	}
	b := bufio.NewReaderSize(in, 64<<10)
	var err error
	if magic, _ := b.Peek(4); string(magic) == "PAR1" || strings.HasSuffix(name, ".parquet") {
		var stop func()
		if r.next, stop, err = parquet(name, b); err != nil {
			r.Close()
			return nil, err
		}
		r.stop = stop
		return r, nil
	}
	if r.next, err = form(name, b); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func form(name string, b *bufio.Reader) (func() (Row, error), error) {
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	first, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case len(head) == 0:
		return func() (Row, error) { return Row{}, io.EOF }, nil
	case head[0] == '[', head[0] == '{' && !closed(first):
		return document(name, b)
	case head[0] == '{':
		return (&lines{name: name, in: b, parse: object}).next, nil
	case strings.HasSuffix(name, ".csv"), header(first):
		return table(name, b)
	}
	return (&lines{name: name, in: b, parse: console}).next, nil
}

// header tells the first line of a table: one of its cells is a step. A program's talk has commas too.
func header(line []byte) bool {
	for cell := range bytes.SplitSeq(line, []byte(",")) {
		switch string(bytes.Trim(cell, " \t\r\"")) {
		case "step", "global_step", "_step":
			return bytes.ContainsRune(line, ',')
		}
	}
	return false
}

// closed tells a line that is one whole object from the first line of a document over several.
func closed(line []byte) bool {
	line = bytes.TrimSpace(line)
	depth := 0
	for i := 0; i < len(line); {
		switch line[i] {
		case '"':
			i = stringEnd(line, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
	}
	return depth == 0 || len(line) >= 4000 // a row longer than what was looked at
}
