package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path"
	"strconv"
	"strings"
)

const (
	// HeaderSize is the length of a segment's header.
	HeaderSize = 128
	// Version of the segment format.
	Version = 1

	segmentMagic = "PVRLEDG1"
	headerCRCAt  = 124
)

// Header starts a segment.
type Header struct {
	Flags    uint32
	Run      [16]byte // the run's uid, so that a foreign segment shows
	Segment  uint64   // from 0
	FirstSeq uint64
	Epoch    uint64 // of the writer that created the segment
	Prev     Hash   // chain link before FirstSeq
	Log      Log
}

// ErrHeader tells that a segment's first 128 bytes are not a header of this format.
var ErrHeader = errors.New("ledger: segment header")

// AppendBinary appends the 128 bytes.
func (h Header) AppendBinary(dst []byte) []byte {
	var b [HeaderSize]byte
	copy(b[:], segmentMagic)
	binary.LittleEndian.PutUint16(b[8:], Version)
	binary.LittleEndian.PutUint16(b[10:], HeaderSize)
	binary.LittleEndian.PutUint32(b[12:], h.Flags)
	copy(b[16:], h.Run[:])
	binary.LittleEndian.PutUint64(b[32:], h.Segment)
	binary.LittleEndian.PutUint64(b[40:], h.FirstSeq)
	binary.LittleEndian.PutUint64(b[48:], h.Epoch)
	copy(b[56:], h.Prev[:])
	b[88] = byte(h.Log)
	binary.LittleEndian.PutUint32(b[headerCRCAt:], crc32.Checksum(b[:headerCRCAt], castagnoli))
	return append(dst, b[:]...)
}

// ParseHeader reads a header. Whoever knows the run, the number and the chain compares them.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes, want %d", ErrHeader, len(b), HeaderSize)
	}
	b = b[:HeaderSize]
	if string(b[:8]) != segmentMagic {
		return Header{}, fmt.Errorf("%w: magic is %q", ErrHeader, b[:8])
	}
	if crc32.Checksum(b[:headerCRCAt], castagnoli) != binary.LittleEndian.Uint32(b[headerCRCAt:]) {
		return Header{}, fmt.Errorf("%w: checksum does not match", ErrHeader)
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v != Version {
		return Header{}, fmt.Errorf("%w: version %d, this program reads %d", ErrHeader, v, Version)
	}
	if n := binary.LittleEndian.Uint16(b[10:]); n != HeaderSize {
		return Header{}, fmt.Errorf("%w: length %d, want %d", ErrHeader, n, HeaderSize)
	}
	for _, z := range b[89:headerCRCAt] {
		if z != 0 {
			return Header{}, fmt.Errorf("%w: reserved bytes are not zero", ErrHeader)
		}
	}
	h := Header{
		Flags:    binary.LittleEndian.Uint32(b[12:]),
		Segment:  binary.LittleEndian.Uint64(b[32:]),
		FirstSeq: binary.LittleEndian.Uint64(b[40:]),
		Epoch:    binary.LittleEndian.Uint64(b[48:]),
		Log:      Log(b[88]),
	}
	copy(h.Run[:], b[16:])
	copy(h.Prev[:], b[56:])
	return h, nil
}

// SegmentName is the file name of a segment.
func SegmentName(n uint64) string { return fmt.Sprintf("%08d.seg", n) }

// ParseSegmentName is its inverse; ok is false for any other file.
func ParseSegmentName(name string) (n uint64, ok bool) {
	digits, isSeg := strings.CutSuffix(path.Base(name), ".seg")
	if !isSeg {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && SegmentName(n) == digits+".seg"
}
