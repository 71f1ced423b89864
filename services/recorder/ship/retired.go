package ship

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
)

// ErrNotShipped tells that a segment has no copy yet, so that nothing of it may be deleted here.
var ErrNotShipped = errors.New("the store has no copy of it yet")

func retiredName(dir string, n uint64) string { return path.Join(dir, ledger.RetiredName(n)) }

// ConfirmRetired lets a segment's payloads go: the store has shown, now, that it holds the segment's very bytes, and what
// stays of the segment lies there too. The copy itself is left to the store's own rules.
func (s *Shipper) ConfirmRetired(ctx context.Context, dir string, n uint64, size int64, sum [32]byte) error {
	err := s.confirm(ctx, segmentName(dir, n), size, sum)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", segmentName(dir, n), ErrNotShipped)
	}
	if err != nil {
		return err
	}
	_, err = s.putRetired(ctx, dir, n)
	return err
}

// putRetired ships what stands for a retired segment.
func (s *Shipper) putRetired(ctx context.Context, dir string, n uint64) (shipped, error) {
	name := retiredName(dir, n)
	file, err := s.d.Disk.Open(name)
	if err != nil {
		return shipped{}, s.local(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return shipped{}, s.local(err)
	}
	is, err := ledger.ReadRetired(ctx, file, size, nil)
	if err != nil {
		return shipped{}, s.damaged(err)
	}
	if err := s.put(ctx, name, io.NewSectionReader(file, 0, size), size, is.SHA256); err != nil {
		return shipped{}, err
	}
	if err := s.confirm(ctx, name, size, is.SHA256); err != nil {
		return shipped{}, err
	}
	return shipped{Segment: n, Size: size, SHA256: hex.EncodeToString(is.SHA256[:]), Records: is.Trailer.FirstSeq + is.Trailer.Count}, nil
}

// shipRetired takes up a retired segment although the file that notes what was shipped is gone: its tiles and its
// checkpoint go out as they would have with the payloads.
func (s *Shipper) shipRetired(ctx context.Context, f *folder, n uint64) (shipped, error) {
	out, err := s.putRetired(ctx, f.dir, n)
	if err != nil {
		return out, err
	}
	root, err := s.tiles(ctx, f, n)
	if err != nil {
		return out, err
	}
	out.Root, out.At = hex.EncodeToString(root[:]), s.d.Clock.Now().UTC()
	return out, s.checkpoint(ctx, f, out.Records, root)
}

// leaves reads a segment wherever it lies, with its payloads or without, and hands its leaves out.
func (s *Shipper) leaves(ctx context.Context, f *folder, n uint64, leaf func(ledger.Hash)) (ledger.Sealed, int64, error) {
	name, read := segmentName(f.dir, n), ledger.ReadSealed
	switch {
	case f.here[n]:
	case f.retired[n]:
		name, read = retiredName(f.dir, n), ledger.ReadRetired
	default:
		r, size, err := s.copyOf(ctx, f, n)
		if err != nil {
			return ledger.Sealed{}, 0, err
		}
		is, err := read(ctx, r, size, leaf)
		return is, size, s.damaged(err)
	}
	file, err := s.d.Disk.Open(name)
	if err != nil {
		return ledger.Sealed{}, 0, s.local(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return ledger.Sealed{}, 0, s.local(err)
	}
	is, err := read(ctx, file, size, leaf)
	return is, size, s.damaged(err)
}
