package store

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
)

// Crash points of retention, in the order in which it passes them.
const (
	PointRetirePrepared faultline.Point = "recorder.retireprepared" // what stays is on disk, nobody has been told
	PointRetireDeclared faultline.Point = "recorder.retiredeclared" // findings says so, the payloads are still here
	PointRetireDropped  faultline.Point = "recorder.retiredropped"  // the payloads of one segment are gone
)

// Retirement says by what rule payloads are taken away.
type Retirement struct {
	Rule string
	By   string
	At   time.Time
	// Confirm is asked before anything of a segment is deleted here, for what has a copy elsewhere: whether the copy is
	// whole, and to keep there what stays of the segment. Nil where nothing is copied.
	Confirm func(ctx context.Context, c Candidate) error
}

// Candidate is a segment that is about to lose its payloads.
type Candidate struct {
	Dir     string // of the log, below the ledger's folder
	Segment uint64
	Size    int64    // of the file with the payloads
	SHA256  [32]byte // of that file
}

// Retire takes the payloads of segments of an ended run away. The order is what a crash may cut anywhere: first what
// stays is on disk, then findings says so under a signed checkpoint, and only then does the first byte go. Done again it
// ends what an earlier try left, and declares nothing twice. The caller keeps others from mending or holding the run.
func (r *Run) Retire(ctx context.Context, segments []uint64, by Retirement) (*ledger.RetentionNote, error) {
	events, findings := r.Log(ledger.Events), r.Log(ledger.Findings)
	if !r.Sealed() {
		return nil, r.fault(Invalid, fmt.Errorf("the run is not sealed, and nothing is retired of a run that goes on"))
	}
	if k := KindOf(events.Broken()); k != Sealed {
		return nil, events.Broken()
	}
	if err := findings.Broken(); err != nil {
		return nil, err // it could not be declared
	}
	told, err := r.RetentionNotes(ctx)
	if err != nil {
		return nil, err
	}
	note := ledger.RetentionNote{Log: ledger.Events.String(), Rule: by.Rule, By: by.By, At: by.At}
	trailers := make([]ledger.Trailer, len(segments))
	for i, n := range segments {
		is, size, err := events.prepareRetired(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("retire segment %d: %w", n, err)
		}
		if by.Confirm != nil {
			if err := by.Confirm(ctx, Candidate{Dir: events.dir, Segment: n, Size: size, SHA256: is.SHA256}); err != nil {
				return nil, fmt.Errorf("retire segment %d: %w", n, err)
			}
		}
		trailers[i] = is.Trailer
		s := ledger.RetentionSegment{Segment: n, FirstSeq: is.Trailer.FirstSeq, LastSeq: is.Trailer.LastSeq, SHA256: is.Trailer.File}
		if !declared(told, s) {
			note.Segments = append(note.Segments, s)
		}
	}
	if err := r.store.deps.Faults.At(PointRetirePrepared); err != nil {
		return nil, err
	}
	if err := findings.declareRetention(ctx, &note); err != nil {
		return nil, err
	}
	if err := r.store.deps.Faults.At(PointRetireDeclared); err != nil {
		return nil, err
	}
	for i, n := range segments {
		if err := events.dropSealedBlobs(ctx, n); err != nil {
			return nil, err
		}
		if err := events.dropPayloads(ctx, n, trailers[i]); err != nil {
			return nil, err
		}
		if err := r.store.deps.Faults.At(PointRetireDropped); err != nil {
			return nil, err
		}
	}
	return &note, nil
}

// declareRetention writes the note down and waits until a checkpoint that covers it survives a power cut: a verification
// believes nothing else. A note that names nothing new is not written, and what an earlier try wrote is made as durable.
func (l *Log) declareRetention(ctx context.Context, note *ledger.RetentionNote) error {
	if len(note.Segments) > 0 {
		payload, err := note.Marshal()
		if err != nil {
			return err
		}
		if note.Seq, err = l.AppendNext(ctx, []Record{{Type: ledger.Retention, Payload: payload}}); err != nil {
			return err
		}
	}
	return l.FlushDurably(ctx)
}

func declared(notes []ledger.RetentionNote, s ledger.RetentionSegment) bool {
	for _, n := range notes {
		for _, d := range n.Segments {
			if d == s {
				return true
			}
		}
	}
	return false
}

// RetentionNotes are what findings says of payloads that were retired. It is never nil without an error.
func (r *Run) RetentionNotes(ctx context.Context) ([]ledger.RetentionNote, error) {
	notes := []ledger.RetentionNote{}
	for f, err := range r.Log(ledger.Findings).Events(ctx, Query{Types: []ledger.RecordType{ledger.Retention}}) {
		if KindOf(err) == Corrupt {
			break // what is behind damage is not believed; the log says so itself
		}
		if err != nil {
			return nil, fmt.Errorf("read what was retired of run %s: %w", r.ID, err)
		}
		n, err := ledger.ParseRetentionNote(f.Stored)
		if err != nil {
			return nil, fmt.Errorf("finding %d of run %s: %w", f.Seq, r.ID, err)
		}
		n.Seq = f.Seq
		notes = append(notes, n)
	}
	return notes, nil
}

// Dir is the log's folder below the ledger's.
func (l *Log) Dir() string { return path.Clean(l.dir) }
