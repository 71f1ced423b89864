package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"sync"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/idgen"
)

// Store holds the runs of one recorder. Open it once a process: it locks its folder.
type Store struct {
	cfg   Config
	deps  Deps
	lock  io.Closer
	syncs chan struct{} // one token a file being synced
	space space

	mu     sync.Mutex
	runs   map[string]*Run
	closed bool
}

// Open checks the configuration and locks the folder. Runs are opened when they are first asked for.
func Open(cfg Config, d Deps) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if d.Disk == nil || d.Signer == nil {
		return nil, errors.New("store: a disk and a signer are needed")
	}
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Copies != nil {
		d.Copies = pieced{d.Copies}
	}
	lock, err := d.Disk.Lock()
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, deps: d, lock: lock, syncs: make(chan struct{}, cfg.Syncs), runs: map[string]*Run{}}
	s.space = space{disk: d.Disk, clock: d.Clock, minFree: cfg.MinFree, size: cfg.Reserve, log: d.Log}
	if err := s.space.keep(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Run opens a run. With create it is made where it is missing; else that is NotFound.
func (s *Store) Run(ctx context.Context, tenant, run string, create bool) (*Run, error) {
	if !namePattern.MatchString(tenant) || !namePattern.MatchString(run) {
		return nil, &Fault{Kind: Invalid, Run: run, Cause: fmt.Errorf("tenant %q and run %q must be 1 to 64 of A-Z a-z 0-9 _ . -", tenant, run)}
	}
	dir := path.Join(tenant, run)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("store: closed")
	}
	if r, ok := s.runs[dir]; ok {
		return r, nil
	}
	_, err := s.deps.Disk.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !create:
		return nil, &Fault{Kind: NotFound, Run: run}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("look for run %s: %w", run, err)
	}
	r, err := openRun(ctx, s, tenant, run)
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", run, err)
	}
	s.runs[dir] = r
	return r, nil
}

// Runs lists the runs of all tenants on disk as tenant and run.
func (s *Store) Runs() ([][2]string, error) {
	tenants, err := s.deps.Disk.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	var runs [][2]string
	for _, t := range tenants {
		if !t.IsDir() {
			continue
		}
		dirs, err := s.deps.Disk.ReadDir(t.Name())
		if err != nil {
			return nil, fmt.Errorf("list runs of %s: %w", t.Name(), err)
		}
		for _, d := range dirs {
			if d.IsDir() {
				runs = append(runs, [2]string{t.Name(), d.Name()})
			}
		}
	}
	return runs, nil
}

// Close commits what is pending, signs last checkpoints and lets go of the folder.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// runUID is what stands in segment headers: the id's own bytes, or a hash of a name that is no id.
func runUID(run string) [16]byte {
	if uid, ok := idgen.Bytes(run); ok {
		return uid
	}
	sum := sha256.Sum256([]byte(run))
	return [16]byte(sum[:16])
}
