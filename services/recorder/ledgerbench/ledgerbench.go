// Package ledgerbench builds a log and measures what is done with one that is there: taking it up at a start, making its
// index anew, checking every hash of it, proving single records.
package ledgerbench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/store"
)

// Config is the log that is measured.
type Config struct {
	Records int
	Size    int // bytes of a payload
}

const ledgerRun = "06000000000000000000000000"

// Figures are what was measured. Sizes are bytes, proofs are sorted.
type Figures struct {
	Built    time.Duration // appending all records, durably
	Recovery time.Duration // opening the log
	Reindex  time.Duration // with every index removed
	Verify   time.Duration
	// VerifyCPU is the CPU time of the process meanwhile, and Size what was read.
	VerifyCPU time.Duration
	Size      int64
	Proofs    []time.Duration
}

// Run measures. cpu is the CPU time of the process so far.
func Run(ctx context.Context, dir string, c Config, cpu func() time.Duration) (f Figures, err error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "provenir.dev/bench")
	if err != nil {
		return f, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return f, err
	}
	open := func() (*store.Store, *store.Run, error) {
		files, err := disk.OpenDir(dir)
		if err != nil {
			return nil, nil, err
		}
		s, err := store.Open(store.Config{Reserve: -1}, store.Deps{Disk: files, Clock: clock.System{}, Signer: signer, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, nil, err
		}
		r, err := s.Run(ctx, "default", ledgerRun, true)
		return s, r, err
	}
	s, r, err := open()
	if err != nil {
		return f, err
	}
	begin := time.Now()
	err = fill(ctx, r, c)
	f.Built = time.Since(begin)
	if err = errors.Join(err, s.Close()); err != nil {
		return f, err
	}
	begin = time.Now()
	if s, r, err = open(); err != nil {
		return f, err
	}
	f.Recovery = time.Since(begin)
	events := filepath.Join(dir, "default", ledgerRun, "events")
	if f.Proofs, err = prove(r.Log(ledger.Events), c.Records); err == nil {
		f.Reindex, err = reindex(ctx, r, events, uint64(c.Records))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return f, err
	}
	return f, check(ctx, events, vkey, c, cpu, &f)
}

// fill appends in frames of 256, as a pump does, and waits for the disk once in 64 frames.
func fill(ctx context.Context, r *store.Run, c Config) error {
	const frame, window = 256, 64
	if err := r.Claim(1); err != nil {
		return err
	}
	log := r.Log(ledger.Events)
	recs := make([]store.Record, frame)
	for i := range recs {
		recs[i].Payload = make([]byte, c.Size)
	}
	for seq := 0; seq < c.Records; seq += frame {
		n := min(frame, c.Records-seq)
		for i := range n {
			binary.LittleEndian.PutUint64(recs[i].Payload, uint64(seq+i))
			recs[i].Seq, recs[i].Type = uint64(seq+i), ledger.Rollout
		}
		if err := log.Append(ctx, 1, recs[:n]); err != nil {
			return err
		}
		if seq/frame%window == window-1 {
			if err := log.Wait(ctx, uint64(seq+n)); err != nil {
				return err
			}
		}
	}
	return log.Flush(ctx)
}

// prove makes inclusion proofs of records that nobody asked for before.
func prove(log *store.Log, records int) ([]time.Duration, error) {
	const n = 2000
	random := mathrand.New(mathrand.NewPCG(1, 2))
	took := make([]time.Duration, n)
	for i := range took {
		seq := random.Uint64N(uint64(records))
		begin := time.Now()
		if _, _, _, err := log.InclusionProof(seq, uint64(records)); err != nil {
			return nil, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took, nil
}

// reindex removes every index and reads one record of each segment, which makes its index anew.
func reindex(ctx context.Context, r *store.Run, events string, records uint64) (time.Duration, error) {
	entries, err := os.ReadDir(events)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".idx") {
			if err := os.Remove(filepath.Join(events, e.Name())); err != nil {
				return 0, err
			}
		}
	}
	begin := time.Now()
	// No record has this type: the reader needs every index to know that, and reads no block.
	for _, err := range r.Log(ledger.Events).Events(ctx, store.Query{To: records, Types: []ledger.RecordType{ledger.Gate}}) {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}

// check verifies the folder as a stranger would, with the public key.
func check(ctx context.Context, events, vkey string, c Config, cpu func() time.Duration, f *Figures) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(events)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".seg") {
			f.Size += info.Size()
		}
	}
	begin, used := time.Now(), cpu()
	report, err := ledger.Verify(ctx, os.DirFS(events), ledger.VerifyOptions{Keys: note.VerifierList(v)})
	if err != nil {
		return err
	}
	f.Verify, f.VerifyCPU = time.Since(begin), cpu()-used
	if !report.OK() || report.Records != uint64(c.Records) {
		return fmt.Errorf("the log that was built does not verify: %d records, %v", report.Records, report.Damages)
	}
	return nil
}
