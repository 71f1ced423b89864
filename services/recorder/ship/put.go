package ship

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// errConflict tells that the store holds other bytes under the name of a segment. Nothing is replaced, there or here.
var errConflict = errors.New("the store holds something else under that name")

// ship brings one segment to the store, with its tiles and the checkpoint of its end.
func (s *Shipper) ship(ctx context.Context, f *folder, n uint64) (shipped, error) {
	name := segmentName(f.dir, n)
	if f.retired[n] {
		return s.shipRetired(ctx, f, n)
	}
	if !f.here[n] {
		return s.find(ctx, f, n)
	}
	if err := disk.SyncFile(s.d.Disk, name); err != nil { // what is shipped must not be lost here and be written anew
		return shipped{}, s.local(fmt.Errorf("sync %s: %w", name, err))
	}
	file, err := s.d.Disk.Open(name)
	if err != nil {
		return shipped{}, s.local(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return shipped{}, s.local(err)
	}
	is, err := ledger.ReadSealed(ctx, file, size, nil)
	if err != nil {
		return shipped{}, s.damaged(err)
	}
	if is.Header.Segment != n {
		return shipped{}, s.damaged(fmt.Errorf("%w: it is segment %d", errDamaged, is.Header.Segment))
	}
	if err := s.blobs(ctx, f.dir, file, ledger.HeaderSize, size); err != nil {
		return shipped{}, err
	}
	sum, end := is.SHA256, is.Trailer.FirstSeq+is.Trailer.Count
	if err := s.put(ctx, name, io.NewSectionReader(file, 0, size), size, sum); err != nil {
		return shipped{}, err
	}
	root, err := s.tiles(ctx, f, n)
	if err != nil {
		return shipped{}, err
	}
	if err := s.checkpoint(ctx, f, end, root); err != nil {
		return shipped{}, err
	}
	if err := s.confirm(ctx, name, size, sum); err != nil {
		return shipped{}, err
	}
	return shipped{Segment: n, Size: size, SHA256: hex.EncodeToString(sum[:]), Records: end, Root: hex.EncodeToString(root[:]), At: s.d.Clock.Now().UTC()}, nil
}

// put writes an object, or finds that the store has these very bytes.
func (s *Shipper) put(ctx context.Context, name string, body io.ReadSeeker, size int64, sum [32]byte) error {
	err := s.d.Remote.Put(ctx, name, body, size, sum)
	if errors.Is(err, ErrExists) {
		return s.confirm(ctx, name, size, sum)
	}
	if err != nil {
		s.d.Counts.failed(failedStore)
		return &unreachable{err}
	}
	return nil
}

// confirm asks the store what it holds. A store without checksums of its own cannot say.
func (s *Shipper) confirm(ctx context.Context, name string, size int64, sum [32]byte) error {
	o, err := s.d.Remote.Head(ctx, name)
	switch {
	case err != nil:
		s.d.Counts.failed(failedStore)
		return &unreachable{err}
	case o.SHA256 == nil && o.Size == size:
		s.d.Counts.failed(failedStore)
		return &unreachable{fmt.Errorf("%s: the store gives no SHA-256 of what it holds, so nothing can be confirmed: use one with checksums", name)}
	case o.Size != size || *o.SHA256 != sum:
		s.d.Counts.failed(failedConflict)
		return fmt.Errorf("%w: %s has %d bytes there, %d here", errConflict, name, o.Size, size)
	}
	return nil
}

// checkpoint ships the signed checkpoint of a size, when the history has one. It must be of this very tree.
func (s *Shipper) checkpoint(ctx context.Context, f *folder, size uint64, root ledger.Hash) error {
	b, err := s.d.Disk.ReadFile(f.dir + "/" + ledger.HistoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.local(err)
	}
	for h := ledger.NewHistoryReader(bytes.NewReader(b)); ; {
		signed, err := h.Next()
		if err != nil {
			return nil // its end, or a tail that a crash cut off: the newest checkpoint is no part of this
		}
		c, err := ledger.ReadCheckpoint(signed)
		if err != nil || c.Size != size {
			continue
		}
		if c.Root != root {
			return s.damaged(fmt.Errorf("%w: its records are not those of the signed checkpoint of size %d", errDamaged, size))
		}
		// The same tree may be signed twice, once with a witness: the first one that was shipped stays.
		err = s.d.Remote.Put(ctx, checkpointName(f.dir, size), bytes.NewReader(signed), int64(len(signed)), sha256.Sum256(signed))
		if err != nil && !errors.Is(err, ErrExists) {
			s.d.Counts.failed(failedStore)
			return &unreachable{err}
		}
		return nil
	}
}

func (s *Shipper) local(err error) error {
	s.d.Counts.failed(failedLocal)
	return err
}

// damaged counts what is wrong with a local file; other errors of reading it pass.
func (s *Shipper) damaged(err error) error {
	if errors.Is(err, ledger.ErrSealed) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if errors.Is(err, errDamaged) {
		s.d.Counts.failed(failedDamage)
	}
	return err
}
