package ship

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// freeUp takes local files away whose time is over. Each time the store is asked once more what it holds. kept is how many
// stay for now.
func (s *Shipper) freeUp(ctx context.Context, f *folder) (kept int, err error) {
	for _, c := range f.copies {
		if !f.here[c.Segment] {
			continue
		}
		last := c.Segment+1 == f.count
		due := s.cfg.KeepLocal != nil && s.d.Clock.Now().Sub(c.At) >= *s.cfg.KeepLocal
		if !due || last && !f.ended {
			kept++
			continue
		}
		err := s.free(ctx, f, c)
		switch {
		case errors.Is(err, errConflict), errors.Is(err, errDamaged):
			s.d.Log.Error("a segment stays on the local disk", "log", f.dir, "segment", c.Segment, "error", err.Error())
			kept++
		case err != nil:
			return kept, err
		}
	}
	return kept, nil
}

// free takes one file away: the store holds these bytes, and the mark that stands for them is durable first.
func (s *Shipper) free(ctx context.Context, f *folder, c shipped) error {
	name := segmentName(f.dir, c.Segment)
	mark, err := s.mark(ctx, name, c)
	if err != nil {
		return err
	}
	if err := s.syncTiles(f); err != nil {
		return err
	}
	if err := disk.WriteDurably(s.d.Disk, path.Join(f.dir, ledger.AwayName(c.Segment)), mark); err != nil {
		return s.local(fmt.Errorf("mark %s as moved away: %w", name, err))
	}
	if err := s.d.Disk.Remove(name); err != nil {
		return s.local(err)
	}
	if err := s.d.Disk.SyncDir(f.dir); err != nil {
		return s.local(err)
	}
	delete(f.here, c.Segment)
	s.d.Counts.freed()
	s.d.Log.Info("a segment was moved away", "log", f.dir, "segment", c.Segment, "bytes", c.Size)
	return nil
}

// mark reads the local file a last time and compares it with what the store says it has.
func (s *Shipper) mark(ctx context.Context, name string, c shipped) ([]byte, error) {
	file, err := s.d.Disk.Open(name)
	if err != nil {
		return nil, s.local(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, s.local(err)
	}
	is, err := ledger.ReadSealed(ctx, file, size, nil)
	if err != nil {
		return nil, s.damaged(err)
	}
	if err := s.confirm(ctx, name, size, is.SHA256); err != nil {
		return nil, err
	}
	if hex.EncodeToString(is.SHA256[:]) != c.SHA256 {
		return nil, s.damaged(fmt.Errorf("%w: it is not the file that was shipped", errDamaged))
	}
	return ledger.Away{Header: is.Header, Trailer: is.Trailer, Size: size}.AppendBinary(nil), nil
}

// syncTiles makes the stored leaves durable: without the records they are what lets a verification go on.
func (s *Shipper) syncTiles(f *folder) error {
	entries, err := s.d.Disk.ReadDir(path.Join(f.dir, "tile"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.local(err)
	}
	for _, e := range entries {
		if err := disk.SyncFile(s.d.Disk, path.Join(f.dir, "tile", e.Name())); err != nil {
			return s.local(err)
		}
	}
	return s.d.Disk.SyncDir(path.Join(f.dir, "tile"))
}

// find takes up a segment that is away although the file that notes it is gone: its mark says what the copy must be.
func (s *Shipper) find(ctx context.Context, f *folder, n uint64) (shipped, error) {
	name := segmentName(f.dir, n)
	o, err := s.d.Remote.Head(ctx, name)
	if err != nil {
		s.d.Counts.failed(failedStore)
		return shipped{}, &unreachable{err}
	}
	f.copies = append(f.copies, shipped{Segment: n, Size: o.Size})
	defer func() { f.copies = f.copies[:n] }()
	tree, err := s.treeBefore(ctx, f, n, func(ledger.Tile, []byte) {})
	if err != nil {
		return shipped{}, err
	}
	is, size, err := s.leaves(ctx, f, n, tree.Append)
	if err != nil {
		return shipped{}, err
	}
	if b, err := s.d.Disk.ReadFile(path.Join(f.dir, ledger.AwayName(n))); err != nil {
		return shipped{}, s.local(err)
	} else if mark, err := ledger.ParseAway(b); err != nil || mark.Trailer != is.Trailer {
		return shipped{}, s.damaged(fmt.Errorf("%w: its copy is not what its mark says", errDamaged))
	}
	root := tree.Root()
	return shipped{Segment: n, Size: size, SHA256: hex.EncodeToString(is.SHA256[:]), Records: tree.Size(), Root: hex.EncodeToString(root[:]), At: s.d.Clock.Now().UTC()}, nil
}
