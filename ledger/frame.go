package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

const (
	// FrameHeaderSize is the number of bytes before the payload.
	FrameHeaderSize = 88
	// MaxPayload is the largest stored payload. Writers stay far below it (a message is at most 4 MiB); readers use it to
	// tell a length from noise.
	MaxPayload = 8 << 20

	contentLengthSize = 8
)

// FrameFlags say how a payload is stored. They are not hashed: moving a payload to the blob store changes no leaf.
type FrameFlags uint16

const (
	// StoredAsBlob: the frame holds the content's length (u64 little-endian) and its media type; the bytes lie in the
	// blob store under the frame's digest.
	StoredAsBlob FrameFlags = 1
	// StoredEncrypted: the frame holds the content's length (u64 little-endian), then ciphertext.
	StoredEncrypted FrameFlags = 2
	// StoredRetired: a rule of retention took the payload away. Beside the content's length (u64 little-endian) the frame
	// holds what else it stored before the content: a blob's media type, the number of an encrypted payload's key.
	StoredRetired FrameFlags = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is a record as it lies in a segment.
type Frame struct {
	Entry
	Flags  FrameFlags
	Prev   Hash   // chain link of the record before it
	Stored []byte // payload, or what stands for it (see FrameFlags); after decoding it points into the input
}

// Size is the frame's length in the file: header, payload, zeros to a multiple of 8.
func (f *Frame) Size() int { return frameSize(len(f.Stored)) }

func frameSize(stored int) int { return (FrameHeaderSize + stored + 7) &^ 7 }

// Inline tells whether Stored is the content itself.
func (f *Frame) Inline() bool {
	return f.Flags&(StoredAsBlob|StoredEncrypted|StoredRetired) == 0
}

// BlobPayload is what a frame stores for a payload that lies in the blob store.
func BlobPayload(size uint64, mediaType string) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, contentLengthSize+len(mediaType)), size)
	return append(b, mediaType...)
}

// MediaType is the media type of a blob frame, and empty for others.
func (f *Frame) MediaType() string {
	if f.Flags&StoredAsBlob == 0 || len(f.Stored) < contentLengthSize || f.Retired() && f.Flags&StoredEncrypted != 0 {
		return ""
	}
	if f.Flags&StoredEncrypted != 0 {
		return string(f.Stored[min(sealedTypeAt, len(f.Stored)):])
	}
	return string(f.Stored[contentLengthSize:])
}

// AppendFrame appends the frame's bytes. The caller has set Entry.Digest, so a payload is hashed once, by whoever has it.
func AppendFrame(dst []byte, f *Frame) []byte {
	n, at := f.Size(), len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	p := dst[at:]
	binary.LittleEndian.PutUint32(p, uint32(n))
	binary.LittleEndian.PutUint64(p[8:], f.Seq)
	binary.LittleEndian.PutUint16(p[16:], uint16(f.Type))
	binary.LittleEndian.PutUint16(p[18:], uint16(f.Flags))
	binary.LittleEndian.PutUint32(p[20:], uint32(len(f.Stored)))
	copy(p[24:], f.Digest[:])
	copy(p[56:], f.Prev[:])
	copy(p[FrameHeaderSize:], f.Stored)
	clear(p[FrameHeaderSize+len(f.Stored):])
	binary.LittleEndian.PutUint32(p[4:], crc32.Checksum(p[8:], castagnoli))
	return dst
}

// Reasons why bytes are not a frame. Scanning branches on ErrFrameShort: only it can be a write that a crash cut off.
var (
	ErrFrameShort  = errors.New("ledger: frame is cut off")
	ErrFrameLength = errors.New("ledger: frame length makes no sense")
	ErrFrameCRC    = errors.New("ledger: frame checksum does not match")
	ErrFrameBody   = errors.New("ledger: frame is malformed")
)

// frameLength reads the length of the frame that starts b, when both length fields agree. Two fields that agree by chance
// are rare enough that a search through damaged bytes computes hardly any checksum in vain.
func frameLength(b []byte) (int, error) {
	if len(b) < FrameHeaderSize {
		return 0, ErrFrameShort
	}
	n, stored := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[20:])
	if stored > MaxPayload || int(n) != frameSize(int(stored)) {
		return 0, ErrFrameLength
	}
	return int(n), nil
}

// DecodeFrame reads the frame that starts b and its length in bytes. It checks lengths, checksum and padding; digest and
// chain are the caller's ([Frame.CheckDigest], [Entry.Chain]).
func DecodeFrame(b []byte) (Frame, int, error) {
	n, err := frameLength(b)
	if err != nil {
		return Frame{}, 0, err
	}
	if len(b) < n {
		return Frame{}, n, ErrFrameShort
	}
	b = b[:n]
	if crc32.Checksum(b[8:], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return Frame{}, n, ErrFrameCRC
	}
	f := Frame{Flags: FrameFlags(binary.LittleEndian.Uint16(b[18:]))}
	f.Seq = binary.LittleEndian.Uint64(b[8:])
	f.Type = RecordType(binary.LittleEndian.Uint16(b[16:]))
	copy(f.Digest[:], b[24:])
	copy(f.Prev[:], b[56:])
	end := FrameHeaderSize + int(binary.LittleEndian.Uint32(b[20:]))
	f.Stored = b[FrameHeaderSize:end:end]
	f.Length = uint64(len(f.Stored))
	for _, z := range b[end:] {
		if z != 0 {
			return Frame{}, n, fmt.Errorf("%w: padding is not zero", ErrFrameBody)
		}
	}
	if !f.Inline() {
		if len(f.Stored) < contentLengthSize {
			return Frame{}, n, fmt.Errorf("%w: content length is missing", ErrFrameBody)
		}
		f.Length = binary.LittleEndian.Uint64(f.Stored)
	}
	return f, n, nil
}
