package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Away is what stays in a log's folder of a sealed segment whose file was moved to another store: header and trailer as
// they are in the segment. They say which records it holds and what the whole file hashes to, so whoever has the file can
// tell that it is the one. They do not prove that anybody has it.
type Away struct {
	Header  Header
	Trailer Trailer
	Size    int64 // of the segment's file
}

// ErrAway tells that bytes are not what stands for a segment that was moved away.
var ErrAway = errors.New("ledger: not the mark of a segment that was moved away")

const awaySuffix = ".away"

// AwayName is the file that stands for a segment that was moved away.
func AwayName(n uint64) string { return fmt.Sprintf("%08d", n) + awaySuffix }

// ParseAwayName is its inverse; ok is false for any other file.
func ParseAwayName(name string) (n uint64, ok bool) {
	digits, isAway := strings.CutSuffix(path.Base(name), awaySuffix)
	if !isAway {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && AwayName(n) == digits+awaySuffix
}

// AppendBinary appends the segment's header, its trailer frame, and its size as u64 little-endian.
func (a Away) AppendBinary(dst []byte) []byte {
	dst = a.Header.AppendBinary(dst)
	f := a.Trailer.Frame()
	return binary.LittleEndian.AppendUint64(AppendFrame(dst, &f), uint64(a.Size))
}

// ParseAway reads what [Away.AppendBinary] wrote. Whoever knows the run, the number and the chain compares them.
func ParseAway(b []byte) (Away, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Away{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	f, n, err := DecodeFrame(b[HeaderSize:])
	if err != nil {
		return Away{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	t, err := ParseTrailer(&f)
	if err != nil {
		return Away{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	rest := b[HeaderSize+n:]
	if len(rest) != 8 || t.FirstSeq != h.FirstSeq || t.Count == 0 {
		return Away{}, fmt.Errorf("%w: header, trailer and size do not fit each other", ErrAway)
	}
	size := binary.LittleEndian.Uint64(rest)
	if size < uint64(HeaderSize+n) || size > 1<<62 {
		return Away{}, fmt.Errorf("%w: a segment of %d bytes", ErrAway, size)
	}
	return Away{Header: h, Trailer: t, Size: int64(size)}, nil
}

// AwaySegment is a segment that a verification has not read.
type AwaySegment struct {
	Segment  uint64 `json:"segment"`
	FirstSeq uint64 `json:"first_seq"`
	LastSeq  uint64 `json:"last_seq"`
	SHA256   Hash   `json:"sha256"` // of the file before its trailer, by the word of the mark
}
