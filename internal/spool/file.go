package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Line is a row of a file.
type Line struct {
	Number uint64 // from 1
	Text   string
	Row    *Row
}

// Torn is the end of a file that was being written when its writer was killed.
type Torn struct {
	Line  uint64
	Bytes int
}

// LineError says which line cannot be read.
type LineError struct {
	Line uint64
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a spool from its beginning and checks that nothing is missing in the middle. It holds one line.
type Reader struct {
	in    *bufio.Reader
	line  uint64
	head  *Row // the newest open or resume
	next  uint64
	known bool // next is known: a file that begins with resume says it with its first row
	ended bool // close was read
	torn  *Torn
}

// NewReader reads a file.
func NewReader(in io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(in, 64<<10)} }

// Head is the newest row that says who writes the run; nil before the first line.
func (r *Reader) Head() *Row { return r.head }

// Torn is what was cut off the end; nil where the file ends with a whole line. It is known when Next has given io.EOF.
func (r *Reader) Torn() *Torn { return r.torn }

// Ended tells that the run was closed.
func (r *Reader) Ended() bool { return r.ended }

// Next gives the next line; io.EOF at the end. Any other error is a *LineError.
func (r *Reader) Next() (Line, error) {
	text, err := r.read()
	if errors.Is(err, io.EOF) && len(text) == 0 {
		return Line{}, io.EOF
	}
	r.line++
	if err != nil && !errors.Is(err, io.EOF) {
		return Line{}, &LineError{r.line, err}
	}
	whole := err == nil
	row, bad := Parse(bytes.TrimSuffix(text, []byte("\n")))
	if bad == nil {
		bad = r.follows(row)
	}
	if bad != nil && !whole { // no newline: the last write was cut
		r.torn = &Torn{Line: r.line, Bytes: len(text)}
		return Line{}, io.EOF
	}
	if bad != nil {
		return Line{}, &LineError{r.line, bad}
	}
	return Line{Number: r.line, Text: string(bytes.TrimSuffix(text, []byte("\n"))), Row: row}, nil
}

// read gives a line with its end. A line that is too long is an error, not a reason to hold it.
func (r *Reader) read() ([]byte, error) {
	var text []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(text)+len(part) > MaxRow+1 {
			return nil, fmt.Errorf("more than %d bytes", MaxRow)
		}
		text = append(text, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
	}
}

// follows checks a row's place.
func (r *Reader) follows(row *Row) error {
	switch {
	case r.ended:
		return errors.New("a row behind close")
	case r.head == nil && row.Type != Open && row.Type != Resume:
		return fmt.Errorf("a spool begins with open or resume, not %s", row.Type)
	case r.head != nil && row.Type == Open:
		return errors.New("a second open")
	case row.Type == Resume:
		return r.resumes(row)
	case r.known && row.Seq != r.next:
		return fmt.Errorf("seq %d, want %d: a row is missing or twice here", row.Seq, r.next)
	}
	if row.Type == Open {
		r.head = row
	}
	r.known, r.next, r.ended = true, row.Seq+1, row.Type == Close
	return nil
}

func (r *Reader) resumes(row *Row) error {
	if r.head != nil && row.Run != r.head.Run {
		return fmt.Errorf("run %s in a spool of run %s", row.Run, r.head.Run)
	}
	if r.head != nil && row.Epoch < r.head.Epoch {
		return fmt.Errorf("epoch %d after %d", row.Epoch, r.head.Epoch)
	}
	if r.head != nil { // settings are those of open
		row.Settings, row.Name = r.head.Settings, r.head.Name
	}
	r.head = row
	return nil
}
