package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/recorder/disk"
)

const (
	reserveFile = "reserve"
	// spaceEvery is how often a full disk is asked whether it has room again.
	spaceEvery = time.Second
)

// space keeps a reserve and knows whether the disk is full. When it is, the reserve is given up so that findings and
// checkpoints can still be written; when there is room for the reserve and as much again, writing goes on.
type space struct {
	disk    disk.FS
	clock   clock.Clock
	log     *slog.Logger
	minFree uint64
	size    int64

	mu    sync.Mutex
	full  bool
	asked time.Time
}

// Space is what is known about the disk.
type Space struct {
	Free  uint64
	Total uint64
	Low   bool // less than Config.MinFree or 2 % is free
	Full  bool // a write failed for want of room; appends are refused until there is room again
}

// Space asks the disk.
func (s *Store) Space() (Space, error) {
	free, total, err := s.deps.Disk.Free()
	if err != nil {
		return Space{}, err
	}
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return Space{Free: free, Total: total, Low: free < max(s.cfg.MinFree, total/50), Full: s.space.full}, nil
}

// keep makes the reserve where it is missing. A disk too full for it is no error: the first failed write will say so.
func (s *space) keep() error {
	if s.size < 0 {
		return nil
	}
	f, err := s.disk.Create(reserveFile)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the reserve file: %w", err)
	}
	err = errors.Join(f.Allocate(s.size), f.Close())
	if isFull(err) {
		s.log.Warn("the disk has no room for the ledger's reserve", "bytes", s.size)
		return s.disk.Remove(reserveFile)
	}
	if err != nil {
		return fmt.Errorf("allocate the reserve file: %w", err)
	}
	return nil
}

// filled notes that a write found no room.
func (s *space) filled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.asked = true, s.clock.Now()
	if s.size < 0 {
		return
	}
	if err := s.disk.Remove(reserveFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("the ledger's reserve could not be given up", "error", err.Error())
	}
}

// writable says whether appends may go on, and asks the disk again when it was full.
func (s *space) writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.full {
		return true
	}
	now := s.clock.Now()
	if now.Sub(s.asked) < spaceEvery {
		return false
	}
	s.asked = now
	free, _, err := s.disk.Free()
	if err != nil || free < 2*uint64(max(s.size, 8<<20)) {
		return false
	}
	if err := s.keep(); err != nil {
		return false
	}
	s.full = false
	s.log.Info("the disk has room again; the ledger takes records", "free_bytes", free)
	return true
}
