package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/provenir/provenir/ledger"
)

// endWindow is how many records of timing are read at once, from the end, in search of the last commit.
const endWindow = 256

// ErrEndUnknown tells that nothing says when a run's last event was written.
var ErrEndUnknown = errors.New("the log timing does not say when the last event was written")

// Ended is when the last event became durable, by the log timing. Where timing lost its tail in a crash, or is damaged,
// nobody knows, and no time is made up.
func (r *Run) Ended(ctx context.Context) (time.Time, error) {
	timing, events := r.Log(ledger.Timing), r.Log(ledger.Events).Durable()
	for to := timing.Durable(); to > 0; {
		from := to - min(to, endWindow)
		var at time.Time
		for f, err := range timing.Events(ctx, Query{From: from, To: to, Types: []ledger.RecordType{ledger.Commit}}) {
			if KindOf(err) == Corrupt {
				return time.Time{}, fmt.Errorf("%w: %w", ErrEndUnknown, err)
			}
			if err != nil {
				return time.Time{}, err
			}
			c, err := ParseCommit(f.Stored)
			if err != nil {
				return time.Time{}, fmt.Errorf("%w: commit %d: %w", ErrEndUnknown, f.Seq, err)
			}
			if c.Last+1 == events && c.At.After(at) {
				at = c.At
			}
		}
		if !at.IsZero() {
			return at, nil
		}
		to = from
	}
	return time.Time{}, ErrEndUnknown
}

// Glance is what the names of a run's files tell.
type Glance struct {
	Sealed   bool
	Payloads int // segments of events that have payloads, here or in the store of copies
}

// Glance looks at a run without opening it: there may be many, and few of them are of interest.
func (s *Store) Glance(tenant, run string) (Glance, error) {
	var g Glance
	_, err := s.deps.Disk.ReadFile(path.Join(tenant, run, sealFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return g, fmt.Errorf("look at run %s: %w", run, err)
	}
	g.Sealed = err == nil
	entries, err := s.deps.Disk.ReadDir(path.Join(tenant, run, ledger.Events.String()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return g, fmt.Errorf("look at run %s: %w", run, err)
	}
	var ns []uint64
	for _, e := range entries {
		n, ok := ledger.ParseSegmentName(e.Name())
		if !ok {
			n, ok = ledger.ParseAwayName(e.Name())
		}
		if ok {
			ns = append(ns, n)
		}
	}
	slices.Sort(ns)
	g.Payloads = len(slices.Compact(ns))
	return g, nil
}
