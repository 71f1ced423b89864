package ledger

import (
	"errors"
	"io"
)

// scanWindow is the least that a scanner reads at once.
const scanWindow = 256 << 10

// Scanner walks the frames of a segment. It stops at the first bytes that are no frame; what to make of them is the
// caller's: a torn tail, damage, or an attack. Nothing is skipped unless the caller asks for it with Resync.
type Scanner struct {
	r     io.ReaderAt
	size  int64
	next  int64 // offset of the next frame
	start int64 // offset of the current one
	frame Frame
	err   error

	buf  []byte // holds the file from base on
	base int64
}

// NewScanner reads frames of r from the given offset (HeaderSize for a whole segment) up to size.
func NewScanner(r io.ReaderAt, from, size int64) *Scanner {
	return &Scanner{r: r, next: from, size: size}
}

// Next reads the next frame. It is false at the end of the file and at bytes that are no frame: Err tells which.
func (s *Scanner) Next() bool {
	if s.err != nil || s.next >= s.size {
		return false
	}
	f, n, err := s.at(s.next)
	if err != nil {
		s.err = err
		return false
	}
	s.start, s.frame, s.next = s.next, f, s.next+int64(n)
	return true
}

// Frame is the current frame. Its payload is valid until the next call of Next or Resync.
func (s *Scanner) Frame() *Frame { return &s.frame }

// Start is the offset of the current frame.
func (s *Scanner) Start() int64 { return s.start }

// Offset is where the next frame is expected: the end of what is valid when Err is not nil.
func (s *Scanner) Offset() int64 { return s.next }

// Err is why Next stopped, nil at the end of the file. It wraps one of the ErrFrame errors or is a read error.
func (s *Scanner) Err() error { return s.err }

// Resync looks for the next valid frame behind the bytes that stopped Next, at every multiple of step bytes from there.
// The next call of Next returns it. It is false when nothing valid follows, or when hostile bytes make the search too
// expensive (it checksums at most 16 times the file).
func (s *Scanner) Resync(step int64) bool {
	budget := 16*s.size + MaxPayload
	for off := s.next + step; off+FrameHeaderSize <= s.size && budget > 0; off += step {
		head, err := s.peek(off, FrameHeaderSize)
		if err != nil {
			s.err = err
			return false
		}
		n, err := frameLength(head)
		if err != nil || off+int64(n) > s.size {
			continue
		}
		budget -= int64(n)
		if _, _, err := s.at(off); err == nil {
			s.next, s.err = off, nil
			return true
		}
	}
	return false
}

// at decodes the frame at off.
func (s *Scanner) at(off int64) (Frame, int, error) {
	head, err := s.peek(off, FrameHeaderSize)
	if err != nil {
		return Frame{}, 0, err
	}
	n, err := frameLength(head)
	if err != nil {
		return Frame{}, 0, err
	}
	if off+int64(n) > s.size {
		return Frame{}, n, ErrFrameShort
	}
	b, err := s.peek(off, n)
	if err != nil {
		return Frame{}, n, err
	}
	return DecodeFrame(b)
}

// peek returns n bytes at off, fewer at the end of the file.
func (s *Scanner) peek(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-off))
	if off < s.base || off+int64(n) > s.base+int64(len(s.buf)) {
		want := int(min(int64(max(n, scanWindow)), s.size-off))
		if cap(s.buf) < want {
			s.buf = make([]byte, want)
		}
		s.buf, s.base = s.buf[:want], off
		got, err := s.r.ReadAt(s.buf, off)
		if got < want {
			s.buf = s.buf[:got]
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the file is shorter than it was when the caller measured it
			}
			return nil, err
		}
	}
	at := off - s.base
	return s.buf[at : at+int64(n)], nil
}
