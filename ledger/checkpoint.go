package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what is signed about a log: how many records it has and their root (C2SP tlog-checkpoint). Ours have no
// extension lines.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   Hash
}

// ErrCheckpoint tells that a text is not a checkpoint of this format.
var ErrCheckpoint = errors.New("ledger: not a checkpoint")

// maxCheckpoint bounds a signed checkpoint with its cosignatures.
const maxCheckpoint = 64 << 10

// Text is the signed text: origin, size and base64 root, a line each.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads the text. It is strict, because what is read must be what was signed: it accepts a text only if
// [Checkpoint.Text] gives the same bytes again.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return Checkpoint{}, fmt.Errorf("%w: want origin, size and root, a line each, and nothing else", ErrCheckpoint)
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: size %q", ErrCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("%w: root %q", ErrCheckpoint, lines[2])
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if c.Text() != text {
		return Checkpoint{}, fmt.Errorf("%w: not in canonical form", ErrCheckpoint)
	}
	return c, nil
}

// Sign makes the signed note of the checkpoint.
func (c Checkpoint) Sign(signers ...note.Signer) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of %s at %d: %w", c.Origin, c.Size, err)
	}
	return signed, nil
}

// OpenCheckpoint verifies a signed checkpoint and only then reads it. At least one key in known must have signed; origin
// is the one the caller expects, or empty for any.
func OpenCheckpoint(signed []byte, origin string, known note.Verifiers) (Checkpoint, *note.Note, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, nil, fmt.Errorf("%w: %d bytes, at most %d", ErrCheckpoint, len(signed), maxCheckpoint)
	}
	n, err := note.Open(signed, known)
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("open checkpoint: %w", err)
	}
	return readOpened(n, origin)
}

// ReadCheckpoint reads a signed checkpoint without checking who signed it: for those who have no key to trust, who must
// say so.
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes, at most %d", ErrCheckpoint, len(signed), maxCheckpoint)
	}
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, _, err := readOpened(unverified.Note, "")
	return c, err
}

func readOpened(n *note.Note, origin string) (Checkpoint, *note.Note, error) {
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if origin != "" && c.Origin != origin {
		return Checkpoint{}, nil, fmt.Errorf("%w: origin is %q, want %q", ErrCheckpoint, c.Origin, origin)
	}
	return c, n, nil
}
