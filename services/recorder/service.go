// Package recorder keeps the truth of a run and says while it is alive what is wrong with it.
//
// Records come in by Append, become durable in the store, and pass the monitor of their run on the way; what it finds is
// written to the log findings before anybody is told. Everything in the role's database is a copy that can be made again.
package recorder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/services/recorder/alert"
	"github.com/provenir/provenir/services/recorder/hold"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/ship"
	"github.com/provenir/provenir/services/recorder/store"
	"github.com/provenir/provenir/services/recorder/vault"
)

// Service is the recorder's role.
type Service struct {
	recorderv1.UnimplementedRecorderServiceServer

	cfg       Config
	d         Deps
	store     *store.Store
	verifiers note.Verifiers
	messenger publish.Messenger
	relay     *outbox.Relay // nil without a bus
	alerter   *alert.Alerter
	leases    leases // of trackers
	vault     *vault.Vault
	shipper   *ship.Shipper // nil where nothing is shipped
	holds     hold.Table

	mu      sync.Mutex
	live    map[string]*live
	dirty   map[*live]bool // findings to take over
	wake    chan struct{}
	looks   *queue // runs with rollouts to inspect
	taken   *bell  // rings when findings are in the tables
	audited *bell  // rings when a deed is in the audit log
	ready   chan struct{}
}

// New checks and opens the ledger; it starts nothing.
func New(cfg Config, d Deps) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if d.DB == nil || d.Signer == nil || d.Disk == nil {
		return nil, errors.New("recorder: a disk, a database and a signer are needed")
	}
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	v, err := note.NewVerifier(d.VKey)
	if err != nil {
		return nil, fmt.Errorf("recorder: the public key of checkpoints: %w", err)
	}
	s := &Service{
		cfg: cfg, d: d, verifiers: note.VerifierList(v), messenger: publish.Messenger{Source: cfg.Source, Clock: d.Clock},
		live: map[string]*live{}, dirty: map[*live]bool{}, wake: make(chan struct{}, 1), looks: newQueue(), taken: newBell(), audited: newBell(), ready: make(chan struct{}),
	}
	if d.Publish != nil {
		s.relay = outbox.NewRelay(d.DB, d.Publish, d.Log, d.Clock)
	}
	if s.alerter, err = s.newAlerter(); err != nil {
		return nil, err
	}
	s.vault, s.holds = vault.New(d.DB, rand.Reader), hold.Table{DB: d.DB}
	deps := store.Deps{Vault: s.vault, Disk: d.Disk, Clock: d.Clock, Signer: d.Signer, Blobs: d.Blobs, Log: d.Log, Faults: d.Fault}
	if d.Copies != nil {
		deps.Copies = d.Copies
	}
	if d.Transit != nil {
		deps.Transit = d.Transit
	}
	if s.store, err = store.Open(cfg.Store, deps); err != nil {
		return nil, err
	}
	if s.shipper, err = s.newShipper(); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// Register adds the service.
func (s *Service) Register(r grpc.ServiceRegistrar) { recorderv1.RegisterRecorderServiceServer(r, s) }

// Run takes up what an earlier process left, then publishes and watches the clock until ctx ends. It closes the ledger.
func (s *Service) Run(ctx context.Context) error {
	if err := s.alerter.Begin(ctx); err != nil {
		return errors.Join(err, s.store.Close())
	}
	if err := s.recover(ctx); err != nil {
		return errors.Join(err, s.store.Close())
	}
	close(s.ready)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.project(ctx) })
	g.Go(func() error { return s.tick(ctx) })
	if s.cfg.InspectShare > 0 {
		g.Go(func() error { return s.inspectAll(ctx) })
	}
	if s.d.Countersigner != nil {
		g.Go(func() error { return s.countersignAll(ctx) })
	}
	if s.d.Auditor != nil {
		g.Go(func() error { return s.auditAll(ctx) })
	}
	if s.relay != nil {
		g.Go(func() error { return s.relay.Run(ctx) })
	}
	g.Go(func() error { return s.alerter.Run(ctx) })
	if s.shipper != nil {
		g.Go(func() error { return s.shipper.Run(ctx) })
	}
	g.Go(func() error { return s.retainAll(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.close())
}

// Health says whether records can be taken.
func (s *Service) Health(ctx context.Context) error {
	select {
	case <-s.ready:
	default:
		return errors.New("recorder: recovering")
	}
	space, err := s.store.Space()
	if err != nil {
		return err
	}
	if space.Full {
		return errors.New("recorder: the disk is full; free space, the ledger goes on by itself")
	}
	return s.d.DB.Ping(ctx)
}

// close stores the state of open runs, so that the next start replays little, and closes the ledger.
func (s *Service) close() error {
	s.mu.Lock()
	lives := make([]*live, 0, len(s.live))
	for _, l := range s.live {
		lives = append(lives, l)
	}
	s.mu.Unlock()
	ctx := context.Background()
	for _, l := range lives {
		if err := l.store(ctx); err != nil {
			s.d.Log.Warn("the state of a run was not stored; the next start replays more", "run", l.run.ID, "error", err.Error())
		}
	}
	return s.store.Close()
}

// tenant is the caller's. Calls come through the chain, which refuses those without one.
func tenant(ctx context.Context) string {
	c, ok := identity.FromContext(ctx)
	if !ok || c.Tenant == "" {
		return identity.DefaultTenant
	}
	return c.Tenant
}
