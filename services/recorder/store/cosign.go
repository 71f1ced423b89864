package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// cosignatureBytes are key hash, time and Ed25519 signature (C2SP tlog-cosignature v1). The recorder's own signature is
// eight bytes shorter: it says no time.
const cosignatureBytes = 4 + 8 + 64

// Cosigned tells whether a checkpoint carries a cosignature. Whose it is, and whether it holds, is for those to check who
// have the witness's public key; the recorder has not.
func Cosigned(signed []byte) bool {
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return false
	}
	return slices.ContainsFunc(unverified.Note.UnverifiedSigs, func(s note.Signature) bool {
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		return err == nil && len(raw) == cosignatureBytes
	})
}

// TakeCosigned keeps a checkpoint with a cosignature on it in the place of the newest one. It goes into the history too,
// because recovery takes the newest from there. When the log has signed a longer one meanwhile, there is nothing to
// replace and false is answered: the history only grows.
func (l *Log) TakeCosigned(signed []byte) (bool, error) {
	c, err := ledger.ReadCheckpoint(signed)
	if err != nil {
		return false, err
	}
	l.trees.Lock()
	defer l.trees.Unlock()
	if l.last.note == nil || c != l.last.Checkpoint {
		return false, nil
	}
	d, entry := l.store.deps.Disk, ledger.AppendHistory(nil, signed)
	if err := appendAt(d, path.Join(l.dir, ledger.HistoryFile), l.last.history, entry); err != nil {
		return false, fmt.Errorf("keep the cosigned checkpoint of %s: %w", l.origin, err)
	}
	l.last.note, l.last.history = slices.Clone(signed), l.last.history+int64(len(entry))
	if err := overwrite(d, path.Join(l.dir, ledger.CheckpointFile), signed); err != nil {
		return false, fmt.Errorf("keep the cosigned checkpoint of %s: %w", l.origin, err) // recovery takes it from the history
	}
	return true, nil
}

// TakeCosigned replaces the notes of the seal by the same with cosignatures, in the order of [ledger.Logs].
func (r *Run) TakeCosigned(notes [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seal == nil {
		return r.fault(Invalid, errors.New("the run is not sealed"))
	}
	before, err := sealNotes(r.seal)
	if err != nil {
		return err
	}
	var seal []byte
	for i, signed := range notes {
		was, err := ledger.ReadCheckpoint(before[i])
		if err != nil {
			return err
		}
		if is, err := ledger.ReadCheckpoint(signed); err != nil || is != was {
			return r.fault(Invalid, fmt.Errorf("the seal's checkpoint of %s cannot become another one", was.Origin))
		}
		seal = ledger.AppendHistory(seal, signed)
	}
	if err := disk.WriteDurably(r.store.deps.Disk, path.Join(r.dir, sealFile), seal); err != nil {
		return r.fault(WriteFailed, err)
	}
	r.seal = seal
	return nil
}
