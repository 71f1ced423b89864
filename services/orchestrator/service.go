// Package orchestrator owns the life of a run, and nothing else: it starts it, moves rollouts and verdicts, decides at
// gates, survives crashes, and ends it with a sealed passport. It never decodes a token or a tensor.
package orchestrator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/board"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/loop"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// Config are the orchestrator's settings.
type Config struct {
	// Sole says that no other process can own runs of this database: the data folder's lock is held. A dead owner's
	// lease is then taken over at once.
	Sole bool
	// TokenKey signs resume tokens; the same over restarts.
	TokenKey []byte
}

// Deps are the orchestrator's neighbours.
type Deps struct {
	DB      *store.DB // migrated with Migrations
	Blobs   *blob.Store
	Peers   loop.Peers
	Publish outbox.Publish // nil: messages wait in the outbox
	Clock   clock.Clock
	IDs     idgen.Generator
	Fault   *faultline.Line
	Log     *slog.Logger
}

// Migrations are the orchestrator's tables.
func Migrations() []store.Migration {
	return []store.Migration{board.Migration, journal.Migration, lease.Migration, outbox.Migration}
}

// Service is the orchestrator.
type Service struct {
	orchestratorv1.UnimplementedOrchestratorServiceServer
	cfg     Config
	d       Deps
	board   *board.Board
	journal *journal.Journal
	leases  *lease.Leases
	relay   *outbox.Relay
	tokens  cursor.Signer
	owner   string // this process

	fresh chan struct{} // rung when a run was created
	mu    sync.Mutex
	owned map[string]bool
}

// New checks and allocates; it starts nothing.
func New(cfg Config, d Deps) (*Service, error) {
	if d.DB == nil || d.Blobs == nil || d.Clock == nil || d.Log == nil {
		return nil, errors.New("orchestrator: DB, Blobs, Clock and Log are needed")
	}
	p := d.Peers
	if p.Trainer == nil || p.Verifier == nil || p.Recorder == nil || p.Evaluator == nil || p.Governance == nil {
		return nil, errors.New("orchestrator: every peer is needed")
	}
	if len(cfg.TokenKey) == 0 {
		return nil, errors.New("orchestrator: TokenKey is needed")
	}
	s := &Service{cfg: cfg, d: d, journal: journal.New(d.DB), leases: lease.New(d.DB), tokens: cursor.NewSigner(cfg.TokenKey),
		owner: rand.Text(), fresh: make(chan struct{}, 1), owned: map[string]bool{}}
	publish := d.Publish
	if publish == nil {
		publish = func(context.Context, outbox.Message) error { return errors.New("no NATS is configured") }
	}
	s.relay = outbox.NewRelay(d.DB, publish, d.Log, d.Clock)
	s.board = board.New(d.DB, d.Clock, s.relay.Wake)
	return s, nil
}

// Register adds the service to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	orchestratorv1.RegisterOrchestratorServiceServer(r, s)
}

// Health says whether the database answers.
func (s *Service) Health(ctx context.Context) error {
	if err := s.d.DB.Ping(ctx); err != nil {
		return fmt.Errorf("orchestrator database: %w", err)
	}
	return nil
}

// scanEvery is how often runs without an owner are looked for: those of a process that died.
const scanEvery = lease.Renew

// Run owns runs until ctx ends. Runs that had begun before go on.
func (s *Service) Run(ctx context.Context) error {
	var owners sync.WaitGroup
	defer owners.Wait()
	owners.Go(func() {
		if err := s.relay.Run(ctx); err != nil && ctx.Err() == nil {
			s.d.Log.ErrorContext(ctx, "outbox relay ended", "error", err.Error())
		}
	})
	for {
		if err := s.adopt(ctx, &owners); err != nil && ctx.Err() == nil {
			s.d.Log.ErrorContext(ctx, "cannot look for runs", "error", err.Error())
		}
		t := s.d.Clock.NewTimer(scanEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-s.fresh:
			t.Stop()
		case <-t.C():
		}
	}
}

// adopt takes every run that is alive and has no owner here.
func (s *Service) adopt(ctx context.Context, owners *sync.WaitGroup) error {
	runs, tenants, err := s.board.Alive(ctx, run.Ended)
	if err != nil {
		return err
	}
	for i, r := range runs {
		s.mu.Lock()
		taken := s.owned[r.GetUid()]
		s.owned[r.GetUid()] = true
		s.mu.Unlock()
		if taken {
			continue
		}
		owners.Go(func() { s.own(ctx, r, tenants[i]) })
	}
	return nil
}

func (s *Service) own(ctx context.Context, r *orchestratorv1.Run, tenant string) {
	defer func() {
		s.mu.Lock()
		delete(s.owned, r.GetUid())
		s.mu.Unlock()
	}()
	o := &loop.Owner{Peers: s.d.Peers, DB: s.d.DB, Blobs: s.d.Blobs, Journal: s.journal, Leases: s.leases, Board: s.board.Of(r.GetUid()),
		Clock: s.d.Clock, Fault: s.d.Fault, Log: s.d.Log, Run: r, Tenant: tenant}
	err := o.Live(ctx, s.owner, s.cfg.Sole)
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, lease.ErrHeld):
	case errors.Is(err, faultline.ErrKilled):
		<-ctx.Done() // as dead as a process can be that a test still holds: it must not adopt the run again
	default:
		s.d.Log.ErrorContext(ctx, "run left", "run", r.GetUid(), "error", err.Error())
		t := s.d.Clock.NewTimer(time.Second) // before it is adopted again
		defer t.Stop()
		select {
		case <-t.C():
		case <-ctx.Done():
		}
	}
}
