package ship

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Remote is the store of copies; [Bucket] is one.
type Remote interface {
	Put(ctx context.Context, name string, body io.ReadSeeker, size int64, sum [32]byte) error
	Head(ctx context.Context, name string) (Object, error)
	ReadRange(ctx context.Context, name string, p []byte, off int64) (int, error)
}

// Logs knows which runs are open. A folder alone does not tell whether a trailer that is being written will stay.
type Logs interface {
	// SealedSegments is the number of segments of an open log that will never change; open is false for a run that nobody
	// has opened.
	SealedSegments(tenant, run string, log ledger.Log) (n int, open bool)
	// NewestCheckpoint is the last signed checkpoint of a log, open or not; nil where it has none.
	NewestCheckpoint(tenant, run string, log ledger.Log) ([]byte, error)
	// Runs lists tenant and run of all folders.
	Runs() ([][2]string, error)
}

// Deps are the shipper's neighbours.
type Deps struct {
	Disk   disk.FS // the ledger's folder
	Logs   Logs
	Remote Remote
	Blobs  Blobs // payloads outside of the logs; nil ships none
	Clock  clock.Clock
	Counts Counts
	Random func() float64 // 0 to 1, of the wait between attempts
	Log    *slog.Logger
}

// Shipper copies what is sealed, in the background.
type Shipper struct {
	cfg  Config
	d    Deps
	done map[string]bool // folders of runs that nobody has open and that have nothing left to do
	wake chan struct{}
	mu   sync.Mutex // one pass at a time
}

// New checks the settings; it starts nothing.
func New(cfg Config, d Deps) (*Shipper, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Shipper{cfg: cfg, d: d, done: map[string]bool{}, wake: make(chan struct{}, 1)}, nil
}

const (
	lastPassTime = 5 * time.Second
	passEvery    = 5 * time.Second // between two looks for what was sealed meanwhile
	waitFirst    = time.Second     // after a failure of the store, doubled up to
	waitMost     = 5 * time.Minute
)

// Wake lets the next pass begin at once: a run was sealed, and the process may end with it.
func (s *Shipper) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// lastPass ships what a run that was just sealed left, when the process ends: a mesh inside of a verb lives no longer. It is
// short, since somebody waits; what it does not get done waits for the next process.
func (s *Shipper) lastPass(ctx context.Context, owed bool) {
	select {
	case <-s.wake:
	default:
		if !owed {
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPassTime)
	defer cancel()
	if err := s.Pass(ctx); err != nil {
		s.d.Log.Warn("segments wait to be shipped by the next process", "error", err.Error())
	}
}

// Run ships until ctx ends.
func (s *Shipper) Run(ctx context.Context) error {
	wait, owed := waitFirst, false // owed: a run was sealed, and no pass has ended well since
	for {
		err := s.Pass(ctx)
		owed = owed && err != nil
		if ctx.Err() != nil {
			s.lastPass(ctx, owed)
			return ctx.Err()
		}
		pause := passEvery
		if err != nil {
			pause = wait/2 + time.Duration(s.d.Random()*float64(wait)/2)
			wait = min(2*wait, waitMost)
			s.d.Log.Warn("segments wait to be shipped", "again_in", pause.String(), "error", err.Error())
		} else {
			wait = waitFirst
		}
		woken := s.wake
		if err != nil { // the store is away, and is left alone for as long as that
			woken = nil
		}
		t := s.d.Clock.NewTimer(pause)
		select {
		case <-t.C():
		case <-woken:
			owed = true
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			s.lastPass(ctx, owed)
			return ctx.Err()
		}
	}
}

// Pass ships what is sealed now. The error is the store's or the disk's, and worth another attempt; a segment that is
// damaged here, or another one there, is logged and counted, and the other logs go on.
func (s *Shipper) Pass(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs, err := s.d.Logs.Runs()
	if err != nil {
		return err
	}
	waiting := 0
	for _, r := range runs {
		for _, kind := range ledger.Logs {
			dir := path.Join(r[0], r[1], kind.String())
			left, e := s.log(ctx, r[0], r[1], kind, dir)
			waiting += left
			if e != nil {
				err = errors.Join(err, fmt.Errorf("ship %s: %w", dir, e))
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.As(e, new(*unreachable)) { // it is away for the other logs too
				s.d.Counts.left(max(waiting, 1))
				return err
			}
		}
	}
	s.d.Counts.left(waiting)
	return err
}

// unreachable is a failure of the store, after which it is left alone for a while.
type unreachable struct{ error }

func (u *unreachable) Unwrap() error { return u.error }

// log ships one log; left is how many sealed segments the store does not have.
func (s *Shipper) log(ctx context.Context, tenant, run string, kind ledger.Log, dir string) (left int, err error) {
	n, open := s.d.Logs.SealedSegments(tenant, run, kind)
	if open {
		delete(s.done, dir)
	} else if s.done[dir] {
		return 0, nil
	}
	f, err := s.folder(dir)
	if err != nil {
		s.d.Counts.failed(failedLocal)
		return 0, err
	}
	if !open {
		n = f.sealedOnDisk(s.d.Disk)
	}
	f.ended = kind == ledger.Events && f.ended
	for len(f.copies) < n {
		c, err := s.ship(ctx, f, uint64(len(f.copies)))
		switch {
		case errors.Is(err, errDamaged), errors.Is(err, errConflict):
			s.d.Log.Error("a segment is not shipped", "log", dir, "segment", len(f.copies), "error", err.Error())
			_, err := s.freeUp(ctx, f)
			return n - len(f.copies), err
		case err != nil:
			return n - len(f.copies), err
		}
		f.copies = append(f.copies, c)
		if err := writeState(s.d.Disk, dir, f.copies); err != nil {
			s.d.Counts.failed(failedLocal)
			return n - len(f.copies), err
		}
		s.d.Counts.took(c.Size)
	}
	if err := s.tail(ctx, tenant, run, kind, f, n, open); err != nil {
		return 0, err
	}
	kept, err := s.freeUp(ctx, f)
	if err != nil {
		return 0, err
	}
	if !open && (kept == 0 || s.cfg.KeepLocal == nil) {
		s.done[dir] = true
	}
	return 0, nil
}

// tail ships what the log's last segment holds while it is not sealed. What is wrong with it keeps no other log.
func (s *Shipper) tail(ctx context.Context, tenant, run string, kind ledger.Log, f *folder, n int, open bool) error {
	if f.count != uint64(n)+1 {
		return nil
	}
	note, err := s.d.Logs.NewestCheckpoint(tenant, run, kind)
	if err != nil {
		return s.local(err)
	}
	err = s.shipTail(ctx, f, uint64(n), open, note)
	if errors.Is(err, errDamaged) || errors.Is(err, errConflict) {
		s.d.Log.Error("the end of a log is not shipped", "log", f.dir, "segment", n, "error", err.Error())
		return nil
	}
	return err
}
