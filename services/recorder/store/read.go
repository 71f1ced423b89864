package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"path"

	"github.com/provenir/provenir/ledger"
)

// Query names a range of a log.
type Query struct {
	From  uint64 // first record
	To    uint64 // one past the last; 0 is what is durable now
	Types []ledger.RecordType
	// Damaged goes on behind damage. Each damaged range comes as a Corrupt fault among the records; without it the first
	// one ends the reading. Nothing is skipped silently.
	Damaged bool
}

// Events reads durable records in order. A frame is valid until the next one.
func (l *Log) Events(ctx context.Context, q Query) iter.Seq2[*ledger.Frame, error] {
	return l.read(ctx, q, l.unseal)
}

// Stored is Events without opening what is encrypted: the frames are as they lie on the disk.
func (l *Log) Stored(ctx context.Context, q Query) iter.Seq2[*ledger.Frame, error] {
	return l.read(ctx, q, func(_ context.Context, f *ledger.Frame) (*ledger.Frame, error) { return f, nil })
}

func (l *Log) read(ctx context.Context, q Query, open func(context.Context, *ledger.Frame) (*ledger.Frame, error)) iter.Seq2[*ledger.Frame, error] {
	return func(yield func(*ledger.Frame, error) bool) {
		r := l.reader(q)
		defer r.close()
		for {
			f, err := r.next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				f, err = open(ctx, f)
			}
			goesOn := err == nil || q.Damaged && KindOf(err) == Corrupt
			if !yield(f, err) || !goesOn {
				return
			}
		}
	}
}

// reader walks the segments, block by block of the index, so that a filter by type reads only blocks that have it.
type reader struct {
	log  *Log
	q    Query
	mask uint64
	segs []segmentInfo
	want uint64 // the record that comes next

	file    segmentFile
	foreign bool // it is a copy from another store
	seg     segmentInfo
	blocks  []block
	scan    *ledger.Scanner
}

func (l *Log) reader(q Query) *reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := max(l.durable, l.behind); q.To == 0 || q.To > end {
		q.To = end
	}
	r := &reader{log: l, q: q, mask: typeMask(q.Types), want: q.From}
	for i, s := range l.segs {
		if s.first >= q.To && s.first > 0 {
			break
		}
		if i+1 < len(l.segs) && l.segs[i+1].first <= q.From {
			continue
		}
		r.segs = append(r.segs, s)
	}
	return r
}

func (r *reader) next(ctx context.Context) (*ledger.Frame, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.scan == nil {
			if err := r.advance(); err != nil {
				return nil, err
			}
		}
		for r.scan.Next() {
			f := r.scan.Frame()
			if f.IsTrailer() || f.Seq < r.q.From {
				continue
			}
			if f.Seq >= r.q.To {
				return nil, io.EOF
			}
			if r.foreign && f.CheckDigest() == ledger.DigestWrong { // checksums of a frame are no proof of what others give us
				return nil, r.log.fault(Fault{Kind: Corrupt, Segment: r.seg.n, Offset: r.scan.Start(), FirstSeq: f.Seq, LastSeq: f.Seq,
					Cause: errors.New("the copy holds another payload than the one that was recorded")})
			}
			r.want = f.Seq + 1
			if r.mask == ^uint64(0) || r.mask&typeBit(f.Type) != 0 && wanted(r.q.Types, f.Type) {
				return f, nil
			}
		}
		if err := r.scan.Err(); KindOf(err) == CopyAway {
			return nil, err
		} else if err != nil {
			return nil, r.damage(err)
		}
		r.scan = nil
	}
}

func wanted(types []ledger.RecordType, t ledger.RecordType) bool {
	for _, w := range types {
		if w == t {
			return true
		}
	}
	return false
}

// damage names the range that cannot be read, and goes behind it when there is something.
func (r *reader) damage(cause error) error {
	at, first := r.scan.Offset(), max(r.want, r.q.From)
	last := r.q.To - 1
	if len(r.segs) > 0 {
		last = r.segs[0].first - 1
	}
	if len(r.blocks) > 0 {
		last = r.blocks[0].seq - 1
	}
	if r.scan.Resync(8) {
		probe := ledger.NewScanner(r.file, r.scan.Offset(), r.seg.size)
		if probe.Next() {
			last = max(probe.Frame().Seq, 1) - 1
		}
	} else {
		r.scan = nil
	}
	return r.log.fault(Fault{Kind: Corrupt, Segment: r.seg.n, Offset: at, FirstSeq: first, LastSeq: max(last, first), Cause: cause})
}

// advance sets the scanner to the next run of blocks that may hold what is wanted.
func (r *reader) advance() error {
	for {
		for len(r.blocks) > 0 && r.blocks[0].types&r.mask == 0 {
			r.blocks = r.blocks[1:]
		}
		if len(r.blocks) > 0 && r.blocks[0].seq < r.q.To {
			start := r.blocks[0].off
			for len(r.blocks) > 0 && r.blocks[0].types&r.mask != 0 {
				r.blocks = r.blocks[1:]
			}
			end := r.seg.size
			if len(r.blocks) > 0 {
				end = r.blocks[0].off
			}
			r.scan = ledger.NewScanner(r.file, start, end)
			return nil
		}
		if len(r.segs) == 0 {
			return io.EOF
		}
		if err := r.open(); err != nil {
			return err
		}
	}
}

// open goes to the next segment.
func (r *reader) open() error {
	r.close()
	r.seg, r.segs = r.segs[0], r.segs[1:]
	f, is, foreign, err := r.log.openSegmentFile(r.seg)
	if err != nil {
		return err
	}
	r.file, r.seg, r.foreign = f, is, foreign
	r.blocks, err = r.log.blocks(r.seg, r.q.From)
	return err
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

// blocks gives a segment's index from the block that holds seq.
func (l *Log) blocks(s segmentInfo, seq uint64) ([]block, error) {
	if s.retired { // it is short, and seldom read
		return []block{{seq: s.first, off: ledger.HeaderSize, types: ^uint64(0)}}, nil
	}
	l.mu.Lock()
	if l.header.Segment == s.n && len(l.index.blocks) > 0 {
		defer l.mu.Unlock()
		return l.index.from(seq), nil
	}
	l.mu.Unlock()
	if b, err := l.store.deps.Disk.ReadFile(path.Join(l.dir, indexName(s.n))); err == nil {
		if blocks, err := decodeIndex(b); err == nil && len(blocks) > 0 && blocks[0].seq == s.first {
			return blocksFrom(blocks, seq), nil
		}
	}
	return l.rebuildIndex(s, seq)
}

// rebuildIndex scans a segment. In a damaged one the index ends before the damage; reading from its last block finds it.
func (l *Log) rebuildIndex(s segmentInfo, seq uint64) ([]block, error) {
	f, s, _, err := l.openSegmentFile(s)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var x index
	scan := ledger.NewScanner(f, ledger.HeaderSize, s.size)
	for scan.Next() {
		if fr := scan.Frame(); !fr.IsTrailer() {
			x.add(fr.Seq, scan.Start(), fr.Type, commitKey(fr.Type, fr.Stored))
		}
	}
	switch {
	case KindOf(scan.Err()) == CopyAway:
		return nil, scan.Err()
	case scan.Err() == nil && len(x.blocks) > 0:
		l.putIndex(s.n, x.blocks)
	case len(x.blocks) == 0 && s.size > ledger.HeaderSize:
		x.blocks = []block{{seq: s.first, off: ledger.HeaderSize, types: ^uint64(0)}}
	}
	if scan.Err() != nil && len(x.blocks) > 0 {
		x.blocks[len(x.blocks)-1].types = ^uint64(0) // whoever reads on must meet the damage
	}
	return x.from(seq), nil
}
