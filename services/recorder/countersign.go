package recorder

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// Countersigner puts a second signature under a checkpoint that continues the last one it saw: governance. Without it
// whoever holds the recorder's key could rewrite everything.
type Countersigner interface {
	CountersignCheckpoint(ctx context.Context, in *governancev1.CountersignCheckpointRequest, opts ...grpc.CallOption) (*governancev1.CountersignCheckpointResponse, error)
}

// cosigning is what is known of a run's cosignatures.
type cosigning struct {
	mu   sync.Mutex            // one round at a time
	seen map[ledger.Log]uint64 // size that the countersigner saw last; missing after a start, and it says so itself
	told map[ledger.Log]bool   // refusals that were made a finding
}

// countersignAll goes over the open runs every minute. No writer waits for it, and a countersigner that is away costs
// nothing but the try: the checkpoints stay `cosigned: false`, and the log says why.
func (s *Service) countersignAll(ctx context.Context) error {
	for {
		t := s.d.Clock.NewTimer(s.cfg.CosignEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C():
			s.countersignRound(ctx)
		}
	}
}

func (s *Service) countersignRound(ctx context.Context) {
	for _, l := range s.opened() {
		within, cancel := context.WithTimeout(ctx, s.cfg.CosignWait)
		err := l.countersign(within)
		cancel()
		if err == nil || ctx.Err() != nil {
			continue
		}
		s.d.Log.Warn("a checkpoint is not cosigned", "run", l.run.ID, "error", err.Error())
		if away(err) {
			return // the other runs would find the same; the next round tries again
		}
	}
}

// opened are the runs that were taken up.
func (s *Service) opened() []*live {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*live, 0, len(s.live))
	for _, l := range s.live {
		select {
		case <-l.ready:
			if l.err == nil {
				out = append(out, l)
			}
		default: // it is being read; the next round comes in a minute
		}
	}
	return out
}

// countersign has the newest checkpoint of each log cosigned, and the seal's where they are not yet.
func (l *live) countersign(ctx context.Context) error {
	var errs []error
	if l.run.Sealed() {
		_, err := l.countersignSeal(ctx)
		if errs = append(errs, err); away(err) {
			return err
		}
	}
	l.cosign.mu.Lock()
	defer l.cosign.mu.Unlock()
	for _, kind := range ledger.Logs {
		log := l.log(kind)
		c, note := log.Checkpoint()
		if note == nil || store.Cosigned(note) {
			continue
		}
		signed, err := l.ask(ctx, log, c, note)
		if err == nil {
			_, err = log.TakeCosigned(signed)
		}
		if errs = append(errs, err); away(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// countersignSeal has the seal's checkpoints cosigned and gives the seal's notes as they are then.
func (l *live) countersignSeal(ctx context.Context) ([][]byte, error) {
	l.cosign.mu.Lock()
	defer l.cosign.mu.Unlock()
	notes, err := l.run.SealNotes()
	if err != nil {
		return nil, err
	}
	var errs []error
	news := false
	for i, kind := range ledger.Logs {
		if store.Cosigned(notes[i]) {
			continue
		}
		c, err := ledger.ReadCheckpoint(notes[i])
		if err != nil {
			return notes, err
		}
		signed, err := l.ask(ctx, l.log(kind), c, notes[i])
		if err != nil {
			if errs = append(errs, err); away(err) {
				break
			}
			continue
		}
		notes[i], news = signed, true
		if _, err := l.log(kind).TakeCosigned(signed); err != nil {
			errs = append(errs, err) // the seal has it all the same
		}
	}
	if news {
		if err := l.run.TakeCosigned(notes); err != nil {
			errs = append(errs, err)
			if notes, err = l.run.SealNotes(); err != nil { // what is on disk is what is shown
				return nil, err
			}
		}
	}
	return notes, errors.Join(errs...)
}

// ask sends one checkpoint with the proof that it continues what was seen last. The caller holds cosign.mu.
func (l *live) ask(ctx context.Context, log *store.Log, c ledger.Checkpoint, note []byte) ([]byte, error) {
	kind := log.Kind()
	if l.s.d.Countersigner == nil {
		return nil, errNoCountersigner
	}
	old := l.cosign.seen[kind]
	for range 2 { // the second time from where the answer says
		req := &governancev1.CountersignCheckpointRequest{Note: string(note), Vkey: l.s.d.VKey, OldSize: old}
		if old > 0 && old < c.Size {
			proof, _, _, err := log.ConsistencyProof(old, c.Size)
			if err != nil {
				return nil, fmt.Errorf("prove that %s continues its %d records: %w", c.Origin, old, err)
			}
			req.Consistency = hashes(proof)
		}
		resp, err := l.s.d.Countersigner.CountersignCheckpoint(ctx, req)
		if err != nil {
			l.refused(ctx, kind, err)
			return nil, fmt.Errorf("have %s cosigned at %d records: %w", c.Origin, c.Size, err)
		}
		if resp.NeedOldSize != nil {
			old = resp.GetNeedOldSize()
			continue
		}
		signed := []byte(resp.GetCosigned())
		// The answer must be our own bytes with a signature more: anything else would put another's words into our log.
		got, _, err := ledger.OpenCheckpoint(signed, c.Origin, l.s.verifiers)
		if err != nil || got != c || !store.Cosigned(signed) {
			return nil, fmt.Errorf("the cosigned checkpoint of %s at %d records is not the one that was sent (%w)", c.Origin, c.Size, errors.Join(err, errNotOurs))
		}
		l.cosign.seen[kind] = c.Size
		return signed, nil
	}
	return nil, fmt.Errorf("have %s cosigned at %d records: the countersigner keeps asking for another proof (last from %d)", c.Origin, c.Size, old)
}

var (
	errNoCountersigner = errors.New("no countersigner is connected: run the role governance here or set peers.governance")
	errNotOurs         = errors.New("signed text differs, or no cosignature is on it")
)

// refused makes a finding of a log that contradicts what the countersigner saw: somebody rewrote it, there or here.
func (l *live) refused(ctx context.Context, kind ledger.Log, err error) {
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEDGER_INCONSISTENT) || l.cosign.told[kind] {
		return
	}
	l.cosign.told[kind] = true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarm(kindLedger, rpc.Message(err))
	if _, tellErr := l.tell(ctx); tellErr != nil {
		l.s.d.Log.Warn("a finding waits for the log", "run", l.run.ID, "error", tellErr.Error())
	}
}

// away tells a countersigner that cannot be reached from one that refuses.
func away(err error) bool {
	if errors.Is(err, errNoCountersigner) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unimplemented:
		return true
	default:
		return false
	}
}
