package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/note"
)

// Names of the files beside the segments.
const (
	CheckpointFile = "checkpoint"  // the newest
	HistoryFile    = "checkpoints" // all of them
)

// ErrNoLog tells that a folder holds no segment.
var ErrNoLog = errors.New("ledger: no segment file here; name the folder of one log, such as <run>/events")

// VerifyOptions say whom to trust. The zero value trusts nobody: damage is found, signatures stay unchecked.
type VerifyOptions struct {
	Keys      note.Verifiers // of recorders; nil leaves signatures unchecked
	Cosigners note.Verifiers // of witnesses
	Origin    string         // the origin the caller expects; empty takes the log's own word
	// Payload looks into a payload that is encrypted or lies in the blob store, for those who hold its key or have that store.
	// Nil leaves them unchecked.
	Payload func(*Frame) DigestState
	// Known is an older signed checkpoint that the caller kept. It is the only thing that shows a log that was rewritten
	// as a whole by somebody who holds the key.
	Known []byte
	// Retentions are the notes of the run's log findings, for verifying events. Empty, and not nil, tells that findings has
	// none: then payloads that were retired are damage. Nil is for those who have not looked; [VerifyRun] looks.
	Retentions []RetentionNote
}

// Verify checks the folder of one log: every frame, the chain, all checkpoints, the tiles. Damage is in the report; the
// error is for what could not be checked at all. Memory does not grow with the log.
func Verify(ctx context.Context, folder fs.FS, opt VerifyOptions) (*Report, error) {
	segments, forms, err := listSegments(folder)
	if err != nil {
		return nil, err
	}
	v := &verifier{folder: folder, opt: opt, tiles: tileFiles{folder: folder}, report: &Report{Segments: len(segments), Signature: SignatureUnchecked}}
	defer v.tiles.close()
	if opt.Keys != nil {
		v.report.Signature = SignatureVerified
	}
	v.report.Origin = opt.Origin
	v.tree = NewTiledTree(v.checkTile)
	closeHistory, err := v.openCheckpoints()
	if err != nil {
		return nil, err
	}
	defer closeHistory()
	v.compareRoots()
	for i, n := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v.missingBefore(uint64(i), segments)
		if v.form = forms[n]; v.form == formAway {
			err = v.away(n)
		} else {
			err = v.segment(ctx, n, i == len(segments)-1)
		}
		if err != nil {
			return nil, err
		}
	}
	return v.finish(), nil
}

// verifier is one pass over a log.
type verifier struct {
	folder fs.FS
	opt    VerifyOptions
	report *Report
	tiles  tileFiles

	form     form // of the segment that is being read
	tree     *Tree
	broken   bool // a record is damaged or missing: roots can no longer be recomputed
	blind    bool // records were moved away with their leaves: roots can no longer be recomputed, and nothing is wrong
	next     uint64
	chain    Hash
	gaps     []gap
	run      [16]byte
	started  bool
	relocate bool  // files are missing or misplaced: the next header says where the log goes on
	size     int64 // of the last segment read
	tail     bool  // what is wrong at the end of the log was already named
	sealed   bool  // the last segment read ends with a trailer

	history *HistoryReader
	due     []expectation // checkpoints still ahead of the tree; the first history entry among them
	last    Checkpoint    // newest of the history so far
	newest  *Checkpoint   // the file `checkpoint`
	known   uint64        // size of the caller's
	shipped uint64        // size of the newest one that a store of copies had
}

// lost remembers records that were passed over; they may still turn up later. The list is bounded: a shredded log names
// its first gaps and forgets to look for the rest.
func (v *verifier) lost(g gap) {
	v.broken = true
	if len(v.gaps) < maxDamages {
		v.gaps = append(v.gaps, g)
		return
	}
	v.report.DamagesOmitted++
}

// gap is a range of records not seen yet: dropped, unless they turn up later.
type gap struct {
	first, last uint64
	segment     int
	offset      int64
}

// claimed is the number of records that checkpoints speak of.
func (v *verifier) claimed() uint64 {
	claimed := max(v.last.Size, v.known, v.shipped)
	if v.newest != nil {
		claimed = max(claimed, v.newest.Size)
	}
	return claimed
}

func (v *verifier) damage(kind DamageKind, segment int, offset int64, first, last uint64, format string, args ...any) {
	file := CheckpointFile
	switch {
	case segment != noSegment && v.form == formRetired:
		file = RetiredName(uint64(segment))
	case segment != noSegment && v.form == formPieces:
		file = PieceName(uint64(segment), 0)
	case segment != noSegment:
		file = SegmentName(uint64(segment))
	}
	v.report.add(Damage{Kind: kind, File: file, Segment: segment, Offset: offset, FirstSeq: first, LastSeq: last,
		Detail: fmt.Sprintf(format, args...)})
}

// missingBefore names segment files that are gone between the last one read and the i-th that is there.
func (v *verifier) missingBefore(i uint64, segments []uint64) {
	want := uint64(0)
	if i > 0 {
		want = segments[i-1] + 1
	}
	if n := segments[i]; n > want {
		v.broken = true
		v.damage(MissingSegment, int(want), 0, v.next, v.next, "segments %d to %d are not here; what they held starts at record %d",
			want, n-1, v.next)
		v.relocate = true
	}
}

// finish judges what only the whole log shows.
func (v *verifier) finish() *Report {
	r := v.report
	for _, g := range v.gaps {
		v.damage(DroppedRecords, g.segment, g.offset, g.first, g.last, "records are missing from the middle of the log")
	}
	v.drainHistory()
	if claimed := v.claimed(); claimed > v.next && !v.tail {
		kind := TruncatedFile
		if v.sealed { // a sealed segment is whole, so it is the one after it that is gone
			kind = MissingSegment
		}
		v.damage(kind, r.Segments-1, v.size, v.next, claimed-1, "the checkpoint covers %d records, the log ends at %d", claimed, v.next)
	}
	r.Records, r.Chain = v.next, v.chain
	r.Retentions = slices.DeleteFunc(r.Retentions, func(n RetentionNote) bool { return n.Seq >= r.Covered }) // anybody can append to a file
	if !v.blind {                                                                                            // a root of the records before a hole would look like one of all
		r.Root = v.tree.Root()
	}
	return r
}

// checkTile compares a full tile of the recomputed tree with the stored one.
func (v *verifier) checkTile(t Tile, want []byte) {
	if v.broken || v.blind {
		return
	}
	got, err := v.tiles.read(t)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, io.ErrUnexpectedEOF), err == nil && lost(got, want):
		v.report.TilesMissing++
	case err != nil || !bytes.Equal(got, want):
		first, at := t.Index<<(TileHeight*(t.Level+1)), t.Offset()
		for i := 0; i+32 <= min(len(got), len(want)); i += 32 {
			if !bytes.Equal(got[i:i+32], want[i:i+32]) {
				first += uint64(i/32) << (TileHeight * t.Level)
				at += int64(i)
				break
			}
		}
		v.report.add(Damage{Kind: TileMismatch, File: t.File(), Offset: at, Segment: noSegment, FirstSeq: first, LastSeq: first,
			Detail: "the stored tile is not the tree's: it was edited, or the record was"})
	}
}

// lost tells whether got differs from want only by pages of zeros: tiles are not synced, so a power cut may leave holes.
func lost(got, want []byte) bool {
	var zeros [32]byte
	holes := false
	for i := 0; i+32 <= len(want); i += 32 {
		switch {
		case bytes.Equal(got[i:i+32], want[i:i+32]):
		case bytes.Equal(got[i:i+32], zeros[:]):
			holes = true
		default:
			return false
		}
	}
	return holes
}

// openAt opens a file for random access.
func openAt(folder fs.FS, name string) (r io.ReaderAt, size int64, closer io.Closer, err error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("open %s: %w", name, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, nil, errors.Join(fmt.Errorf("stat %s: %w", name, err), f.Close())
	}
	if info.IsDir() { // a folder is no file that could hold this
		return nil, 0, nil, errors.Join(fmt.Errorf("open %s: %w", name, fs.ErrNotExist), f.Close())
	}
	if at, ok := f.(io.ReaderAt); ok {
		return at, info.Size(), f, nil
	}
	data, err := io.ReadAll(f) // a file system without random access, such as an archive
	if err != nil {
		return nil, 0, nil, errors.Join(fmt.Errorf("read %s: %w", name, err), f.Close())
	}
	return bytes.NewReader(data), int64(len(data)), f, nil
}
