package store

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Run is a run's three logs under one fence.
type Run struct {
	store  *Store
	Tenant string
	ID     string
	dir    string

	logs [4]atomic.Pointer[Log] // by ledger.Log; logs[0] is unused. A repair replaces a log that was read-only

	mu    sync.Mutex
	epoch uint64 // highest seen; on disk before anybody writes under it
	seal  []byte // the seal's text; nil while the run is open
}

const (
	epochFile = "epoch"
	sealFile  = ledger.SealFile
)

func openRun(ctx context.Context, s *Store, tenant, id string) (*Run, error) {
	r := &Run{store: s, Tenant: tenant, ID: id, dir: path.Join(tenant, id)}
	for _, kind := range ledger.Logs {
		if err := s.deps.Disk.MkdirAll(path.Join(r.dir, kind.String())); err != nil {
			return nil, fmt.Errorf("make the folder: %w", err)
		}
	}
	for _, dir := range []string{".", tenant, r.dir} {
		if err := s.deps.Disk.SyncDir(dir); err != nil {
			return nil, fmt.Errorf("sync the folder: %w", err)
		}
	}
	var err error
	if r.epoch, err = readEpoch(s, r.dir); err != nil {
		return nil, err
	}
	if r.seal, err = s.deps.Disk.ReadFile(path.Join(r.dir, sealFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the seal: %w", err)
	}
	for _, kind := range ledger.Logs {
		l, err := openLog(ctx, r, kind)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open log %s: %w", kind, err), r.close())
		}
		r.logs[kind].Store(l)
	}
	return r, nil
}

func readEpoch(s *Store, dir string) (uint64, error) {
	b, err := s.deps.Disk.ReadFile(path.Join(dir, epochFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the epoch: %w", err)
	}
	return parseEpoch(b)
}

// parseEpoch reads a number, and its checksum where there is one: the first release wrote none. A fence that a flipped bit
// lowers would let a writer in that has lost its lease.
func parseEpoch(b []byte) (uint64, error) {
	text, sum, checked := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	epoch, err := strconv.ParseUint(text, 10, 64)
	if err == nil && checked && sum != epochSum(text) {
		err = errors.New("its checksum does not match")
	}
	if err != nil {
		return 0, fmt.Errorf("the file epoch is damaged: %w", err)
	}
	return epoch, nil
}

func epochSum(text string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) }

func formatEpoch(epoch uint64) []byte {
	text := strconv.FormatUint(epoch, 10)
	return []byte(text + " " + epochSum(text) + "\n")
}

// Log is one of the run's logs.
func (r *Run) Log(kind ledger.Log) *Log { return r.logs[kind].Load() }

// Epoch is the highest one seen.
func (r *Run) Epoch() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch
}

// Claim raises the fence to epoch, durably, before it returns: from then on every append under a lower one is refused,
// also after a restart. Claiming the present epoch again is a reconnect.
func (r *Run) Claim(epoch uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.allowed(epoch); err != nil {
		return err
	}
	if epoch == r.epoch {
		return nil
	}
	d := r.store.deps.Disk
	name := path.Join(r.dir, epochFile)
	if err := disk.WriteDurably(d, name, formatEpoch(epoch)); err != nil {
		return r.fault(WriteFailed, err)
	}
	if err := r.store.deps.Faults.At(PointFenceRaised); err != nil {
		return err
	}
	r.epoch = epoch
	return nil
}

// Check tells whether a writer of this epoch may still write.
func (r *Run) Check(epoch uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.allowed(epoch)
}

// allowed is the fence. The caller holds mu.
func (r *Run) allowed(epoch uint64) error {
	if epoch < r.epoch {
		return &Fault{Kind: LeaseLost, Run: r.ID, Log: ledger.Events, Seq: epoch, Want: r.epoch}
	}
	return nil
}

// mayWrite checks epoch and seal for an append to the log events.
func (r *Run) mayWrite(epoch uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seal != nil {
		return r.fault(Sealed, nil)
	}
	return r.allowed(epoch)
}

func (r *Run) fault(k Kind, cause error) *Fault {
	return &Fault{Kind: k, Run: r.ID, Log: ledger.Events, Cause: cause}
}

func (r *Run) close() error {
	var errs []error
	// events first: its last commit still writes to timing
	for i := range r.logs {
		if l := r.logs[i].Load(); l != nil {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(errs...)
}
