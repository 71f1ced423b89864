package measure

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
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

// LedgerConfig is the log that is measured.
type LedgerConfig struct {
	Records int
	Size    int // bytes of a payload
}

const ledgerRun = "06000000000000000000000000"

// Ledger builds a log and measures what is done with one that is there: taking it up at a start, making its index anew,
// checking every hash of it, proving single records.
func Ledger(ctx context.Context, dir string, c LedgerConfig) (rows []Row, times []Latency, err error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "provenir.dev/bench")
	if err != nil {
		return nil, nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, nil, err
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
		return nil, nil, err
	}
	built, err := fill(ctx, r, c)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, nil, err
	}
	name := fmt.Sprintf("%d records of %d B", c.Records, c.Size)
	rows = append(rows, Row{What: "append, " + name, Unit: "records/s", Ours: built, Trials: 1})
	events := filepath.Join(dir, "ledger", "default", ledgerRun, "events")
	if _, err := os.Stat(events); err != nil {
		events = filepath.Join(dir, "default", ledgerRun, "events")
	}
	begin := time.Now()
	if s, r, err = open(); err != nil {
		return nil, nil, err
	}
	times = append(times, once("recovery, "+name, time.Since(begin)))
	proofs, err := prove(r.Log(ledger.Events), c.Records)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	times = append(times, proofs)
	took, err := reindex(ctx, r, events, uint64(c.Records))
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, nil, err
	}
	times = append(times, once("index of all segments made anew", took))
	checked, err := check(ctx, events, vkey, c)
	return append(rows, checked...), times, err
}

func once(what string, took time.Duration) Latency {
	return Latency{What: what, N: 1, P50: took, P99: took, Max: took}
}

// fill appends in frames of 256, as a pump does, and waits for the disk once in 64 frames.
func fill(ctx context.Context, r *store.Run, c LedgerConfig) (float64, error) {
	const frame, window = 256, 64
	if err := r.Claim(1); err != nil {
		return 0, err
	}
	log := r.Log(ledger.Events)
	recs := make([]store.Record, frame)
	for i := range recs {
		recs[i].Payload = make([]byte, c.Size)
	}
	begin := time.Now()
	for seq := 0; seq < c.Records; seq += frame {
		n := min(frame, c.Records-seq)
		for i := range n {
			binary.LittleEndian.PutUint64(recs[i].Payload, uint64(seq+i))
			recs[i].Seq, recs[i].Type = uint64(seq+i), ledger.Rollout
		}
		if err := log.Append(ctx, 1, recs[:n]); err != nil {
			return 0, err
		}
		if seq/frame%window == window-1 {
			if err := log.Wait(ctx, uint64(seq+n)); err != nil {
				return 0, err
			}
		}
	}
	if err := log.Flush(ctx); err != nil {
		return 0, err
	}
	return perSecond(c.Records, time.Since(begin)), nil
}

// prove makes inclusion proofs of records that nobody asked for before.
func prove(log *store.Log, records int) (Latency, error) {
	const n = 2000
	random := mathrand.New(mathrand.NewPCG(1, 2))
	took := make([]time.Duration, n)
	for i := range took {
		seq := random.Uint64N(uint64(records))
		begin := time.Now()
		if _, _, _, err := log.InclusionProof(seq, uint64(records)); err != nil {
			return Latency{}, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return Latency{What: "inclusion proof", N: n, P50: took[n/2], P99: took[n*99/100], Max: took[n-1]}, nil
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
func check(ctx context.Context, events, vkey string, c LedgerConfig) ([]Row, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	var size int64
	entries, err := os.ReadDir(events)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".seg") {
			size += info.Size()
		}
	}
	begin, used := time.Now(), cpu()
	report, err := ledger.Verify(ctx, os.DirFS(events), ledger.VerifyOptions{Keys: note.VerifierList(v)})
	if err != nil {
		return nil, err
	}
	took, spent := time.Since(begin), cpu()-used
	if !report.OK() || report.Records != uint64(c.Records) {
		return nil, fmt.Errorf("the log that was built does not verify: %d records, %v", report.Records, report.Damages)
	}
	perCore := float64(size) / 1e6 / math.Max(spent.Seconds(), 1e-9)
	return []Row{
		{What: "verify", Unit: "records/s", Ours: perSecond(c.Records, took), CPU: float64(spent.Microseconds()) / float64(c.Records), Trials: 1},
		{What: "verify, a core", Unit: "MB/s", Ours: perCore, Trials: 1},
	}, nil
}
