package rules

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxQuestion bounds a question and maxAnswer an answer: a row is bounded before, and what a program says is by maxResult.
const (
	maxQuestion = 16 << 20
	maxAnswer   = 1 << 20
)

// question is one call of verify in another process.
type question struct {
	Source   string
	Response string
	Keys     []string // of the row's columns
	JSON     [][]byte
	Within   time.Duration
	Only     bool // the top level is run, and verify found, and no more
}

// answer is what came of it: a value, or why there is none.
type answer struct {
	Value  wire
	Failed string // the program's own fault
	Row    string // the row's fault
	Late   bool
}

var errFrame = errors.New("a message that is no message of a worker's")

// send writes a message behind its length.
func send(w io.Writer, m any) error {
	b := bytes.NewBuffer(make([]byte, 4, 512))
	if err := gob.NewEncoder(b).Encode(m); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(b.Bytes(), uint32(b.Len()-4))
	_, err := w.Write(b.Bytes())
	return err
}

// gone is io.EOF, whatever a socket says of an end; a time that is over stays what it is.
func gone(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return io.EOF
}

// receive reads one. io.EOF says that the other side is gone.
func receive(r io.Reader, most uint32, m any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return gone(err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > most {
		return fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil { // as the bytes come: a length is only a promise
		return gone(err)
	}
	if err := gob.NewDecoder(&b).Decode(m); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	return nil
}
