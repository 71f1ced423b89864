package ledger

import "crypto/sha256"

// DigestState is what is known about a frame's payload.
type DigestState uint8

const (
	DigestUnchecked DigestState = iota // the content is elsewhere (blob) or unreadable (encrypted)
	DigestOK
	DigestWrong
	DigestMissing // the content is not in the store that the frame points to
)

// CheckDigest hashes an inline payload and compares.
func (f *Frame) CheckDigest() DigestState {
	if !f.Inline() {
		return DigestUnchecked
	}
	if sha256.Sum256(f.Stored) != f.Digest {
		return DigestWrong
	}
	return DigestOK
}
