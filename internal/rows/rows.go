// Package rows reads tables of rows, strictly: JSON lines, a JSON array, CSV, each also with gzip or Zstandard.
//
// A bad row is an error with its line, and reading goes on behind it: of a million rows one is always bad. Numbers keep
// their digits, because values stay the JSON that they were written as.
package rows

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/provenir/provenir/internal/strictjson"
)

// Field is a column of a row; the value is JSON.
type Field struct {
	Key  string
	JSON []byte
}

// Row is one row.
type Row struct {
	Line   int // of the file, from 1; of a JSON array the number of the element
	Fields []Field
}

// Get finds a column.
func (r *Row) Get(key string) ([]byte, bool) {
	for i := range r.Fields {
		if r.Fields[i].Key == key {
			return r.Fields[i].JSON, true
		}
	}
	return nil, false
}

// Options of a reader; the zero value is usable.
type Options struct {
	// Format is jsonl, json or csv; empty takes it from the name, and jsonl for standard input.
	Format string
	// MaxRow bounds a row in bytes; 0 takes 4 MiB.
	MaxRow int
	// MaxBytes bounds the file after decompression; 0 is no bound.
	MaxBytes int64
}

// FormatError says that a file's format cannot be read.
type FormatError struct{ Name, Format string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: the format %q cannot be read here; convert it to jsonl, json or csv, each may end in .gz or .zst", e.Name, e.Format)
}

// RowError says what is wrong with one row; the rows behind it can still be read.
type RowError struct {
	Name string
	Line int
	Code string // bad_row, duplicate_key, too_large
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

func (e *RowError) Unwrap() error { return e.Err }

// errTooLong ends a file that grows beyond its bound: a small archive can hold a large file.
var errTooLong = errors.New("the file is larger than the bound")

// Reader gives rows one by one. Close it.
type Reader struct {
	name  string
	max   int
	next  func() (Row, error)
	close []func()
}

// Open reads a file of that name; r is its content and stays the caller's to close. The error is a *FormatError where the
// format is not one of those.
func Open(name string, r io.Reader, o Options) (*Reader, error) {
	out := &Reader{name: name, max: o.MaxRow}
	if out.max == 0 {
		out.max = 4 << 20
	}
	base := strings.ToLower(name)
	var err error
	switch {
	case strings.HasSuffix(base, ".gz"):
		base = strings.TrimSuffix(base, ".gz")
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("%s: not gzip: %w", name, err)
		}
		out.close = append(out.close, func() { _ = z.Close() }) // what it says was said by Read
		r = z
	case strings.HasSuffix(base, ".zst"):
		base = strings.TrimSuffix(base, ".zst")
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, fmt.Errorf("%s: not Zstandard: %w", name, err)
		}
		out.close = append(out.close, z.Close)
		r = z
	}
	if o.MaxBytes > 0 {
		r = &bounded{r: r, left: o.MaxBytes}
	}
	format := o.Format
	if format == "" {
		format = formatOf(base)
	}
	switch format {
	case "jsonl":
		out.next = out.lines(r)
	case "json":
		out.next, err = out.array(r)
	case "csv":
		out.next, err = out.table(r)
	default:
		err = &FormatError{Name: name, Format: format}
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

func formatOf(base string) string {
	if base == "-" || base == "" {
		return "jsonl"
	}
	ext := base[strings.LastIndexByte(base, '.')+1:]
	if ext == "ndjson" {
		return "jsonl"
	}
	return ext
}

// Next gives the next row, io.EOF after the last, or a *RowError, behind which reading may go on. Any other error ends
// the file.
func (r *Reader) Next() (Row, error) { return r.next() }

// Close frees what decompression holds.
func (r *Reader) Close() {
	for _, c := range r.close {
		c()
	}
	r.close = nil
}

// object reads the JSON of a row.
func (r *Reader) object(b []byte, line int) (Row, error) {
	members, err := strictjson.Object(b, strictjson.Limits{Bytes: r.max})
	if err != nil {
		code := "bad_row"
		var e *strictjson.Error
		if errors.As(err, &e) {
			switch e.Kind {
			case strictjson.DuplicateKey:
				code = "duplicate_key"
			case strictjson.TooLarge:
				code = "too_large"
			}
		}
		return Row{}, &RowError{Name: r.name, Line: line, Code: code, Err: err}
	}
	row := Row{Line: line, Fields: make([]Field, len(members))}
	for i, m := range members {
		row.Fields[i] = Field{m.Key, m.Value}
	}
	return row, nil
}

type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One byte more says whether the file ends here.
		if n, err := b.r.Read(p[:min(1, len(p))]); n == 0 {
			return 0, err
		}
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
