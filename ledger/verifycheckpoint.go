package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/note"
)

// expectation is a root that the tree must have at a size.
type expectation struct {
	Checkpoint
	history bool // from the file `checkpoints`; the next entry is read when it is met
	known   bool // brought by the caller
}

// openCheckpoints reads the newest checkpoint and the caller's, and starts reading the history.
func (v *verifier) openCheckpoints() (closer func(), err error) {
	shipped, err := v.openShipped()
	if err != nil {
		return nil, err
	}
	signed, err := fs.ReadFile(v.folder, CheckpointFile)
	if errors.Is(err, fs.ErrNotExist) && shipped != "" { // the folder comes from a store of copies
		signed, err = fs.ReadFile(v.folder, shipped)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.damage(CheckpointMissing, noSegment, 0, 0, 0, "nothing says how long this log is or what its root was")
		v.report.Signature = SignatureAbsent
	case err != nil:
		return nil, err
	default:
		if c, ok := v.open(signed, CheckpointFile, 0); ok {
			v.newest = &c
			v.expect(expectation{Checkpoint: c})
			v.cosigners(signed)
		}
	}
	if v.opt.Known != nil {
		if c, ok := v.open(v.opt.Known, "the checkpoint you brought", 0); ok {
			v.known = c.Size
			v.expect(expectation{Checkpoint: c, known: true})
		}
	}
	f, err := v.folder.Open(HistoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	v.history = NewHistoryReader(f)
	v.nextHistory()
	return func() { f.Close() }, nil
}

// openShipped expects the checkpoints that a store of copies has under names of their own, and gives the name of the
// newest.
func (v *verifier) openShipped() (newest string, err error) {
	entries, err := fs.ReadDir(v.folder, ".")
	if err != nil {
		return "", fmt.Errorf("read the log's folder: %w", err)
	}
	for _, e := range entries { // in the order of their sizes, since names are padded
		if _, ok := ParseCheckpointName(e.Name()); !ok {
			continue
		}
		signed, err := fs.ReadFile(v.folder, e.Name())
		if err != nil {
			return "", fmt.Errorf("read a checkpoint: %w", err)
		}
		if c, ok := v.open(signed, e.Name(), 0); ok {
			v.expect(expectation{Checkpoint: c})
			v.shipped = max(v.shipped, c.Size)
		}
		newest = e.Name()
	}
	return newest, nil
}

// open checks one signed checkpoint; what is wrong with it becomes a damage.
func (v *verifier) open(signed []byte, file string, offset int64) (Checkpoint, bool) {
	var c Checkpoint
	var err error
	if v.opt.Keys != nil {
		c, _, err = OpenCheckpoint(signed, "", v.opt.Keys)
	} else {
		c, err = ReadCheckpoint(signed)
	}
	d := Damage{File: file, Segment: noSegment, Offset: offset}
	if err != nil {
		v.report.Signature = SignatureInvalid
		d.Kind, d.Detail = CheckpointEdited, "no trusted key signed these bytes: "+err.Error()
		v.report.add(d)
		return Checkpoint{}, false
	}
	if v.report.Origin == "" {
		v.report.Origin = c.Origin
	}
	if c.Origin != v.report.Origin {
		d.Kind, d.Detail = WrongOrigin, "it is of "+c.Origin+", not of "+v.report.Origin
		v.report.add(d)
		return Checkpoint{}, false
	}
	return c, true
}

func (v *verifier) cosigners(signed []byte) {
	if v.opt.Cosigners == nil {
		return
	}
	n, err := note.Open(signed, v.opt.Cosigners)
	if err != nil {
		return // no witness that the caller knows; the report's empty list says so
	}
	for _, s := range n.Sigs {
		v.report.Cosigners = append(v.report.Cosigners, s.Name)
	}
}

func (v *verifier) expect(e expectation) {
	at, _ := slices.BinarySearchFunc(v.due, e, func(a, b expectation) int {
		if a.Size < b.Size {
			return -1
		}
		return 1
	})
	v.due = slices.Insert(v.due, at, e)
}

// nextHistory reads history entries up to the next one that the tree has not passed.
func (v *verifier) nextHistory() {
	for v.history != nil {
		at := v.history.Offset()
		signed, err := v.history.Next()
		if err != nil {
			v.history = nil
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				v.report.add(Damage{Kind: CheckpointEdited, File: HistoryFile, Segment: noSegment, Offset: at, Detail: err.Error()})
			}
			return
		}
		c, ok := v.open(signed, HistoryFile, at)
		if !ok {
			continue
		}
		if c.Size < v.last.Size || c.Size == v.last.Size && c.Size > 0 && c.Root != v.last.Root {
			v.report.add(Damage{Kind: HistoryRewritten, File: HistoryFile, Segment: noSegment, Offset: at, FirstSeq: c.Size,
				LastSeq: v.last.Size, Detail: "checkpoints of one log only grow: two of them tell different stories"})
			continue
		}
		v.last = c
		v.expect(expectation{Checkpoint: c, history: true})
		return
	}
}

// compareRoots meets every expectation of the tree's present size.
func (v *verifier) compareRoots() {
	for len(v.due) > 0 && v.due[0].Size <= v.tree.Size() {
		e := v.due[0]
		v.due = v.due[1:]
		v.compareRoot(e)
		if e.history {
			v.nextHistory()
		}
	}
}

func (v *verifier) compareRoot(e expectation) {
	if v.broken || v.blind || e.Size < v.tree.Size() {
		return
	}
	v.report.Checkpoints++
	if v.tree.Root() == e.Root {
		v.report.Covered = max(v.report.Covered, e.Size)
		return
	}
	from := v.report.Covered
	detail := "the records are not those that the log's own checkpoint was made of"
	if e.known {
		detail = "the log does not continue the checkpoint you brought: it shows you another history"
	} else if v.opt.Keys == nil {
		detail += "; without a trusted key it is open which of the two was edited"
	}
	v.damage(HistoryRewritten, noSegment, 0, from, max(e.Size, 1)-1, "%s", detail)
	v.broken = true // one root that differs makes all later ones differ
}

// drainHistory reads what the log was too short or too damaged to meet.
func (v *verifier) drainHistory() {
	v.due = nil
	for v.history != nil {
		v.nextHistory()
	}
	if v.newest != nil && v.newest.Size < v.last.Size {
		v.damage(CheckpointOld, noSegment, 0, v.newest.Size, v.last.Size-1,
			"the file speaks of %d records, the history of %d: an earlier checkpoint was put back", v.newest.Size, v.last.Size)
	}
}
