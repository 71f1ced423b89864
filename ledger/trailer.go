package ledger

import (
	"encoding/binary"
	"fmt"
)

const trailerSize = 3*8 + 2*32

// Trailer ends a sealed segment. It vouches for the whole file, so that a restart scans only the last segment.
type Trailer struct {
	Count    uint64
	FirstSeq uint64
	LastSeq  uint64 // FirstSeq - 1 in an empty segment
	Chain    Hash   // link after LastSeq
	File     Hash   // SHA-256 of the file before the trailer
}

// Frame gives the trailer as a frame. Its seq is that of the record which would come next.
func (t Trailer) Frame() Frame {
	b := make([]byte, 0, trailerSize)
	b = binary.LittleEndian.AppendUint64(b, t.Count)
	b = binary.LittleEndian.AppendUint64(b, t.FirstSeq)
	b = binary.LittleEndian.AppendUint64(b, t.LastSeq)
	b = append(b, t.Chain[:]...)
	b = append(b, t.File[:]...)
	return Frame{Entry: NewEntry(t.FirstSeq+t.Count, trailerType, b), Prev: t.Chain, Stored: b}
}

// IsTrailer tells whether the frame ends a segment.
func (f *Frame) IsTrailer() bool { return f.Type == trailerType }

// ParseTrailer reads a trailer frame.
func ParseTrailer(f *Frame) (Trailer, error) {
	if !f.IsTrailer() || !f.Inline() || len(f.Stored) != trailerSize {
		return Trailer{}, fmt.Errorf("%w: not a trailer", ErrFrameBody)
	}
	b := f.Stored
	t := Trailer{
		Count:    binary.LittleEndian.Uint64(b),
		FirstSeq: binary.LittleEndian.Uint64(b[8:]),
		LastSeq:  binary.LittleEndian.Uint64(b[16:]),
	}
	copy(t.Chain[:], b[24:])
	copy(t.File[:], b[56:])
	if t.LastSeq+1 != t.FirstSeq+t.Count || f.Seq != t.FirstSeq+t.Count || f.Prev != t.Chain {
		return Trailer{}, fmt.Errorf("%w: trailer contradicts itself", ErrFrameBody)
	}
	return t, nil
}
