package ledger

import "encoding/binary"

// A payload that is too large for a frame and encrypted lies in the blob store as ciphertext. Its frame holds the content's
// length (u64 little-endian), 16 bytes that number the key, the SHA-256 of the ciphertext, 19 bytes of nonce, and the media
// type.
const (
	sealedKeyAt   = contentLengthSize
	sealedSumAt   = sealedKeyAt + 16
	sealedNonceAt = sealedSumAt + 32
	sealedTypeAt  = sealedNonceAt + 19
)

// SealedBlobPayload is what a frame stores for such a payload.
func SealedBlobPayload(size uint64, key [16]byte, ciphertext [32]byte, nonce []byte, mediaType string) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, sealedTypeAt+len(mediaType)), size)
	b = append(append(append(b, key[:]...), ciphertext[:]...), nonce...)
	return append(b, mediaType...)
}

// SealedBlob reads what [SealedBlobPayload] wrote; ok is false for any other frame.
func (f *Frame) SealedBlob() (key [16]byte, ciphertext [32]byte, nonce []byte, ok bool) {
	const both = StoredAsBlob | StoredEncrypted
	if f.Flags&both != both || f.Retired() || len(f.Stored) < sealedTypeAt {
		return key, ciphertext, nil, false
	}
	copy(key[:], f.Stored[sealedKeyAt:])
	copy(ciphertext[:], f.Stored[sealedSumAt:])
	return key, ciphertext, f.Stored[sealedNonceAt:sealedTypeAt], true
}

// BlobDigest is the name of a blob frame's bytes in the blob store: the record's digest, or of an encrypted payload that of
// its ciphertext.
func (f *Frame) BlobDigest() [32]byte {
	if _, ciphertext, _, ok := f.SealedBlob(); ok {
		return ciphertext
	}
	return f.Digest
}
