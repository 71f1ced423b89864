package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// HistoryReader reads the file `checkpoints`: every signed checkpoint of the log, oldest first, each followed by an empty
// line. It holds one at a time, so that the file may be of any length.
type HistoryReader struct {
	r      *bufio.Reader
	offset int64
}

// NewHistoryReader reads from r.
func NewHistoryReader(r io.Reader) *HistoryReader {
	return &HistoryReader{r: bufio.NewReader(r)}
}

// Offset is the end of the last whole checkpoint; a crash may have cut off what follows.
func (h *HistoryReader) Offset() int64 { return h.offset }

// Next returns the next signed checkpoint, io.EOF at the end, and io.ErrUnexpectedEOF where the last is cut off.
func (h *HistoryReader) Next() ([]byte, error) {
	var note []byte
	blanks := 0
	for {
		line, err := h.r.ReadSlice('\n')
		note = append(note, line...)
		switch {
		case errors.Is(err, io.EOF) && len(note) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case errors.Is(err, bufio.ErrBufferFull) || len(note) > maxCheckpoint:
			return nil, fmt.Errorf("%w: entry of the history at byte %d is too long", ErrCheckpoint, h.offset)
		case err != nil:
			return nil, err
		}
		if len(line) == 1 { // one empty line parts text and signatures, the second ends the entry
			if blanks++; blanks == 2 {
				h.offset += int64(len(note))
				return note[:len(note)-1], nil
			}
		}
	}
}

// AppendHistory appends a signed checkpoint as the file holds it.
func AppendHistory(dst, signed []byte) []byte {
	return append(append(dst, bytes.TrimRight(signed, "\n")...), '\n', '\n')
}
