package ship

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// tailFile lies in a log's folder and says which pieces of its last segment the store has. It is a memory aid like
// stateFile: without it the store is asked.
const tailFile = "shipped-tail"

// tail is what is known of the pieces of a segment that is not sealed yet.
type tail struct {
	Segment uint64    `json:"segment"`
	Pieces  uint64    `json:"pieces"`
	Size    int64     `json:"size"`    // of all pieces
	Records uint64    `json:"records"` // of the log up to their end
	At      time.Time `json:"at"`      // of the last one
}

func pieceName(dir string, n, k uint64) string { return path.Join(dir, ledger.PieceName(n, k)) }

func (s *Shipper) readTail(ctx context.Context, f *folder, n uint64) (tail, error) {
	b, err := s.d.Disk.ReadFile(path.Join(f.dir, tailFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tail{}, s.local(err)
	}
	var t tail
	if err == nil && json.Unmarshal(b, &t) == nil && t.Segment == n && t.Size >= 0 {
		return t, nil
	}
	if err == nil && t.Segment < n && t.Pieces > 0 { // of a segment that was sealed since; the store has none of this one
		return tail{Segment: n}, nil
	}
	return s.findTail(ctx, f, n)
}

// findTail asks the store which pieces it has, and compares them with the file.
func (s *Shipper) findTail(ctx context.Context, f *folder, n uint64) (tail, error) {
	t := tail{Segment: n}
	file, err := s.d.Disk.Open(segmentName(f.dir, n))
	if err != nil {
		return t, s.local(err)
	}
	defer file.Close()
	for {
		name := pieceName(f.dir, n, t.Pieces)
		o, err := s.d.Remote.Head(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return t, nil
		}
		if err != nil {
			s.d.Counts.failed(failedStore)
			return t, &unreachable{err}
		}
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(file, t.Size, o.Size)); err != nil {
			return t, s.local(err)
		}
		if o.Size == 0 || o.SHA256 == nil || [32]byte(h.Sum(nil)) != *o.SHA256 {
			return t, s.otherPiece(name, o)
		}
		t.Pieces, t.Size = t.Pieces+1, t.Size+o.Size
	}
}

func (s *Shipper) otherPiece(name string, o Object) error {
	s.d.Counts.failed(failedConflict)
	return fmt.Errorf("%w: %s has %d bytes there, which are not those here", errConflict, name, o.Size)
}

// tailDue tells whether the last segment's pieces are to go out now. A run that has ended, or that nobody has open, waits
// for nothing.
func (s *Shipper) tailDue(f *folder, open bool, t tail) bool {
	if f.sealed || !open {
		return true
	}
	return s.cfg.TailEvery > 0 && s.d.Clock.Now().Sub(t.At) >= s.cfg.TailEvery
}

// shipTail ships what the last segment has gained since the last piece, up to the newest signed checkpoint: what is under
// one is on the disk for good, so the bytes of a piece never change. Each piece is an object of its own, because nothing in
// the store is ever replaced.
func (s *Shipper) shipTail(ctx context.Context, f *folder, n uint64, open bool, note []byte) error {
	if !f.here[n] || note == nil {
		return nil
	}
	c, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return s.damaged(fmt.Errorf("%w: %w", errDamaged, err))
	}
	if last := len(f.copies); last > 0 && c.Size <= f.copies[last-1].Records {
		return nil
	}
	t, err := s.readTail(ctx, f, n)
	if err != nil || t.Records == c.Size || !s.tailDue(f, open, t) {
		return err
	}
	piece, end, err := s.cutPiece(ctx, f, n, t, c)
	if err != nil {
		return err
	}
	s.d.Counts.tail(len(piece))
	for len(piece) > 0 {
		took, err := s.putPiece(ctx, pieceName(f.dir, n, t.Pieces), piece)
		if err != nil {
			return err
		}
		piece = piece[took:]
		t.Pieces, t.Size = t.Pieces+1, t.Size+int64(took)
	}
	if err := s.checkpoint(ctx, f, c.Size, c.Root); err != nil {
		return err
	}
	t.Size, t.Records, t.At = end, c.Size, s.d.Clock.Now().UTC()
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if err := disk.WriteDurably(s.d.Disk, path.Join(f.dir, tailFile), b); err != nil {
		return s.local(err)
	}
	return nil
}

// cutPiece reads the last segment up to a checkpoint, and gives its bytes behind those that the store has. Every record is
// checked, and the tree is the checkpoint's: a damaged tail is never shipped.
func (s *Shipper) cutPiece(ctx context.Context, f *folder, n uint64, t tail, c ledger.Checkpoint) (piece []byte, end int64, err error) {
	file, err := s.d.Disk.Open(segmentName(f.dir, n))
	if err != nil {
		return nil, 0, s.local(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, 0, s.local(err)
	}
	tree, err := s.treeBefore(ctx, f, n, func(ledger.Tile, []byte) {})
	if err != nil {
		return nil, 0, err
	}
	scan := ledger.NewScanner(file, ledger.HeaderSize, size)
	for tree.Size() < c.Size && scan.Next() && !scan.Frame().IsTrailer() {
		if scan.Frame().CheckDigest() == ledger.DigestWrong || scan.Frame().Retired() {
			break
		}
		tree.Append(scan.Frame().Leaf())
	}
	if tree.Size() != c.Size || tree.Root() != c.Root {
		return nil, 0, s.damaged(fmt.Errorf("%w: its last records are not those of the signed checkpoint of size %d", errDamaged, c.Size))
	}
	if end = scan.Offset(); end < t.Size {
		return nil, 0, s.damaged(fmt.Errorf("%w: the store has %d bytes of the segment, up to the checkpoint there are %d", errDamaged, t.Size, end))
	}
	if err := s.blobs(ctx, f.dir, file, max(t.Size, ledger.HeaderSize), end); err != nil {
		return nil, 0, err
	}
	piece = make([]byte, end-t.Size)
	if _, err := file.ReadAt(piece, t.Size); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, s.local(err)
	}
	return piece, end, nil
}

// putPiece puts a piece, or finds that an earlier try, which nobody noted, has put a shorter one: then that one counts.
func (s *Shipper) putPiece(ctx context.Context, name string, piece []byte) (took int, err error) {
	err = s.d.Remote.Put(ctx, name, bytes.NewReader(piece), int64(len(piece)), sha256.Sum256(piece))
	if err == nil {
		return len(piece), nil
	}
	if !errors.Is(err, ErrExists) {
		s.d.Counts.failed(failedStore)
		return 0, &unreachable{err}
	}
	o, err := s.d.Remote.Head(ctx, name)
	if err != nil {
		s.d.Counts.failed(failedStore)
		return 0, &unreachable{err}
	}
	if o.Size > 0 && o.Size <= int64(len(piece)) && o.SHA256 != nil && *o.SHA256 == sha256.Sum256(piece[:o.Size]) {
		return int(o.Size), nil
	}
	return 0, s.otherPiece(name, o)
}
