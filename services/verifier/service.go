// Package verifier turns rollouts into verdicts that cannot be bought.
//
// The rules are in the inner packages, which are pure: math, text, compose, reward, spec. This package reads requests,
// bounds what is under way, keeps deadlines, and answers. It holds no state that a restart may lose: verdicts that are
// remembered are made again from the same bytes.
package verifier

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/replay"
)

// Service is the verifier's role.
type Service struct {
	verifierv1.UnimplementedVerifierServiceServer

	cfg      Config
	clock    clock.Clock
	log      *slog.Logger
	gate     gate
	compiled *compiledSpecs
	replay   *replay.Cache
}

// New checks and allocates; it starts nothing.
func New(cfg Config, d Deps) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		cfg: cfg, clock: d.Clock, log: d.Log, gate: make(gate, cfg.Workers), compiled: newCompiledSpecs(cfg.Code),
		replay: replay.New(cfg.Remember, cfg.RememberFor, d.Clock),
	}, nil
}

// Register adds the service.
func (s *Service) Register(r grpc.ServiceRegistrar) { verifierv1.RegisterVerifierServiceServer(r, s) }

// Run waits for the end: every goroutine belongs to a call.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Health says that the text verifiers can judge, which they always can.
func (s *Service) Health(context.Context) error { return nil }

// gate lets so many goroutines judge at once; more would only take the cores from each other.
type gate chan struct{}

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }
