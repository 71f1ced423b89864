package ledger

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

const (
	retiredSuffix = ".retired"
	// retiredHead is what is kept of an encrypted payload: its length and 16 bytes that name the key. An erasure that comes
	// later must still tell whose records it concerns.
	retiredHead = contentLengthSize + 16
)

// RetiredName is the file that stands for a segment whose payloads were retired: header, entries and trailer are those of
// the segment, so that chain, tree and every proof can still be computed, and no payload is in it.
func RetiredName(n uint64) string { return fmt.Sprintf("%08d", n) + retiredSuffix }

// ParseRetiredName is its inverse; ok is false for any other file.
func ParseRetiredName(name string) (n uint64, ok bool) {
	digits, is := strings.CutSuffix(path.Base(name), retiredSuffix)
	if !is {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && RetiredName(n) == digits+retiredSuffix
}

// Retired tells whether the payload was taken away by a rule of retention.
func (f *Frame) Retired() bool { return f.Flags&StoredRetired != 0 }

// Retire is the frame without its payload. Its entry, and so its leaf and its link, are the same.
func (f *Frame) Retire() Frame {
	out := *f
	out.Flags |= StoredRetired
	switch {
	case f.Retired():
	case f.Flags&StoredEncrypted != 0:
		out.Stored = f.Stored[:min(len(f.Stored), retiredHead)]
	case f.Flags&StoredAsBlob != 0: // length and media type; the payload was never here
	default:
		out.Stored = binary.LittleEndian.AppendUint64(nil, f.Length)
	}
	return out
}

// RetireSegment checks a sealed segment as [ReadSealed] does and writes what stays of it. What was written counts only
// when there is no error.
func RetireSegment(ctx context.Context, f io.ReaderAt, size int64, to io.Writer) (Sealed, error) {
	w := bufio.NewWriterSize(to, 64<<10)
	var buf []byte
	s, err := readWhole(ctx, f, size, false, func(h *Header) error {
		_, err := w.Write(h.AppendBinary(nil))
		return err
	}, func(f *Frame, _ Hash) error {
		r := f.Retire()
		buf = AppendFrame(buf[:0], &r)
		_, err := w.Write(buf)
		return err
	})
	if err != nil {
		return s, err
	}
	t := s.Trailer.Frame()
	if _, err := w.Write(AppendFrame(nil, &t)); err != nil {
		return s, err
	}
	return s, w.Flush()
}

// ReadRetired checks the file of a retired segment by itself: every entry and link, and that the trailer fits them. What
// the trailer vouches for, the hash of the file with the payloads, can no longer be compared.
func ReadRetired(ctx context.Context, f io.ReaderAt, size int64, leaf func(Hash)) (Sealed, error) {
	return readWhole(ctx, f, size, true, nil, func(_ *Frame, l Hash) error {
		if leaf != nil {
			leaf(l)
		}
		return nil
	})
}
