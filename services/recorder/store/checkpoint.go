package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// signedCheckpoint is the newest one of a log and where its history ends.
type signedCheckpoint struct {
	ledger.Checkpoint
	note    []byte // nil before the first
	history int64  // length of the file of all checkpoints
}

// sign makes a checkpoint of what is durable when anything is new. A durable one survives a power cut: it is asked for
// by close and seal, since it is what shows that acknowledged records are lost.
func (l *Log) sign(durable bool) error {
	l.trees.Lock()
	defer l.trees.Unlock()
	if l.last.note == nil || l.tree.Size() > l.last.Size {
		if err := l.signLocked(); err != nil {
			return fmt.Errorf("checkpoint of %s: %w", l.origin, err)
		}
	}
	if !durable {
		return nil
	}
	d := l.store.deps.Disk
	for _, name := range []string{ledger.HistoryFile, ledger.CheckpointFile} {
		if err := disk.SyncFile(d, path.Join(l.dir, name)); err != nil {
			return err
		}
	}
	return d.SyncDir(l.dir)
}

// signLocked signs and stores. The history comes first: a crash in between leaves a newest checkpoint that is older than
// the history's last, which recovery mends.
func (l *Log) signLocked() error {
	c := ledger.Checkpoint{Origin: l.origin, Size: l.tree.Size(), Root: l.tree.Root()}
	note, err := c.Sign(l.store.deps.Signer)
	if err != nil {
		return err
	}
	entry := ledger.AppendHistory(nil, note)
	if err := appendAt(l.store.deps.Disk, path.Join(l.dir, ledger.HistoryFile), l.last.history, entry); err != nil {
		return err
	}
	if err := l.store.deps.Faults.At(PointHistory); err != nil {
		return err
	}
	if err := overwrite(l.store.deps.Disk, path.Join(l.dir, ledger.CheckpointFile), note); err != nil {
		return err
	}
	l.last = signedCheckpoint{Checkpoint: c, note: note, history: l.last.history + int64(len(entry))}
	return nil
}

// overwrite writes a small file in place. Replacing it by a rename would make the file system allocate and start writing
// at once, a hundred times a second; 200 bytes are one page and one call, and recovery mends what a power cut leaves.
func overwrite(d disk.FS, name string, data []byte) error {
	f, err := d.Edit(name)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = d.Create(name)
	}
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

// appendAt writes behind what is known to be whole. A part that an earlier failure left there is overwritten.
func appendAt(d disk.FS, name string, at int64, data []byte) error {
	f, err := d.Edit(name)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = d.Create(name)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, at)
	return errors.Join(err, f.Close())
}

// Checkpoint is the newest signed checkpoint and its note; the note is nil before the first.
func (l *Log) Checkpoint() (ledger.Checkpoint, []byte) {
	l.trees.Lock()
	defer l.trees.Unlock()
	return l.last.Checkpoint, l.last.note
}

// signIfDue signs when enough records or enough time have passed. It runs on the committer.
func (l *Log) signIfDue() {
	now := l.store.deps.Clock.Now()
	few := l.kind == ledger.Findings // each is published with a checkpoint that covers it
	if l.unsigned == 0 || !few && l.unsigned < l.store.cfg.CheckpointRecords && now.Before(l.signAt) {
		return
	}
	if err := l.sign(false); err != nil {
		l.store.deps.Log.Error("a checkpoint could not be written; the next one covers its records", "error", err.Error())
		l.signAt = now.Add(l.store.cfg.CheckpointEvery)
		return
	}
	l.unsigned = 0
}

// noteUnsigned starts the clock of the next checkpoint.
func (l *Log) noteUnsigned(records int, now time.Time) {
	if l.unsigned == 0 {
		l.signAt = now.Add(l.store.cfg.CheckpointEvery)
	}
	l.unsigned += uint64(records)
}
