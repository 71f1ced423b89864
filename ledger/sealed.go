package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrSealed tells that a file is not a sealed segment from end to end.
var ErrSealed = errors.New("ledger: not a whole sealed segment")

// Sealed is what a sealed segment says of itself.
type Sealed struct {
	Header  Header
	Trailer Trailer
	SHA256  [32]byte // of the whole file
}

// ReadSealed checks a sealed segment by itself: every frame, payload and link, the trailer, and the hash that it vouches
// for. Whether it is the right one is for those to say who know its neighbours and a checkpoint. leaf may be nil; it is
// called for each record.
func ReadSealed(ctx context.Context, f io.ReaderAt, size int64, leaf func(Hash)) (Sealed, error) {
	return readWhole(ctx, f, size, false, nil, func(_ *Frame, l Hash) error {
		if leaf != nil {
			leaf(l)
		}
		return nil
	})
}

// readWhole walks a segment with its payloads, or a retired one without. start may be nil.
func readWhole(ctx context.Context, f io.ReaderAt, size int64, retired bool, start func(*Header) error, each func(*Frame, Hash) error) (Sealed, error) {
	var s Sealed
	bad := func(format string, args ...any) (Sealed, error) {
		return s, fmt.Errorf("%w: %s", ErrSealed, fmt.Sprintf(format, args...))
	}
	head := make([]byte, min(HeaderSize, max(size, 0)))
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return s, err
	}
	var err error
	if s.Header, err = ParseHeader(head); err != nil {
		return bad("%v", err)
	}
	if start != nil {
		if err := start(&s.Header); err != nil {
			return s, err
		}
	}
	chain, next := s.Header.Prev, s.Header.FirstSeq
	scan := NewScanner(f, HeaderSize, size)
	for count := 0; scan.Next(); count++ {
		if count%4096 == 0 && ctx.Err() != nil {
			return s, ctx.Err()
		}
		frame := scan.Frame()
		if frame.IsTrailer() {
			if s.Trailer, err = ParseTrailer(frame); err != nil {
				return bad("%v", err)
			}
			break
		}
		if frame.Seq != next || frame.Prev != chain || frame.CheckDigest() == DigestWrong || frame.Retired() != retired {
			return bad("record %d at byte %d", next, scan.Start())
		}
		var l Hash
		l, chain = frame.Hashes(chain)
		if err := each(frame, l); err != nil {
			return s, err
		}
		next++
	}
	switch err := scan.Err(); {
	case err != nil && !isFrameError(err):
		return s, err
	case err != nil:
		return bad("%v at byte %d", err, scan.Offset())
	case scan.Offset() != size || s.Trailer.Count == 0 || s.Trailer.FirstSeq != s.Header.FirstSeq || s.Trailer.FirstSeq+s.Trailer.Count != next || s.Trailer.Chain != chain:
		return bad("no trailer at its end vouches for these records")
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, scan.Start())); err != nil {
		return s, err
	}
	if !retired && Hash(h.Sum(nil)) != s.Trailer.File {
		return bad("the file is not the one that was sealed")
	}
	if _, err := io.Copy(h, io.NewSectionReader(f, scan.Start(), size-scan.Start())); err != nil {
		return s, err
	}
	h.Sum(s.SHA256[:0])
	return s, nil
}

// LastTrailer reads the trailer at a file's end without reading the file; ok is false for a segment that is not sealed.
func LastTrailer(f io.ReaderAt, size int64) (t Trailer, ok bool) {
	empty := Trailer{}.Frame()
	b := make([]byte, empty.Size())
	if size < HeaderSize+int64(len(b)) {
		return t, false
	}
	if _, err := f.ReadAt(b, size-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
		return t, false
	}
	frame, _, err := DecodeFrame(b)
	if err != nil {
		return t, false
	}
	t, err = ParseTrailer(&frame)
	return t, err == nil
}
