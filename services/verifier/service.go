// Package verifier turns rollouts into verdicts that cannot be bought.
//
// The rules are in the inner packages, which are pure: math, text, compose, reward, spec. This package reads requests,
// bounds what is under way, keeps deadlines, and answers. It holds no state that a restart may lose: verdicts that are
// remembered are made again from the same bytes.
package verifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/env/replayed"
	"github.com/provenir/provenir/services/verifier/env/scripted"
	"github.com/provenir/provenir/services/verifier/plugin"
	"github.com/provenir/provenir/services/verifier/replay"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// Service is the verifier's role.
type Service struct {
	verifierv1.UnimplementedVerifierServiceServer

	cfg      Config
	clock    clock.Clock
	log      *slog.Logger
	gate     gate
	compiled *compiledSpecs
	others   *compiledSpecs // of other tenants, whose programs run apart
	apart    *rules.Apart
	replay   *replay.Cache
	blobs    *blob.Store // nil where nothing is stored
	evidence *blob.Pack  // nil without evidence
	sandbox  *sandbox.Pool
	envs     environments
	peers    *peers
	plugins  *plugin.Host
	counts   counters
	tracer   trace.Tracer
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
	if d.Tracer == nil {
		d.Tracer = ownTracer()
	}
	pool, err := sandbox.New(cfg.Sandbox, sandbox.Deps{Clock: d.Clock, Log: d.Log})
	if err != nil {
		return nil, err
	}
	others := &peers{}
	plugins := plugin.NewHost(cfg.Plugins, plugin.Deps{Launch: plugin.In(pool), Clock: d.Clock, Log: d.Log})
	s := &Service{
		cfg: cfg, clock: d.Clock, log: d.Log, gate: make(gate, cfg.Workers), sandbox: pool, peers: others, plugins: plugins,
		compiled: newCompiledSpecs(catalog.Env{Code: cfg.Code, Sandbox: code.On(pool), Dial: others.dial, Plugins: plugins, Interpreter: identify(pool)}),
		replay:   replay.New(cfg.Remember, cfg.RememberFor, d.Clock), blobs: d.Blobs, tracer: d.Tracer,
	}
	if s.counts, err = newCounters(d.Metrics); err != nil {
		return nil, err
	}
	more := slices.Clone(d.Environments)
	for _, folder := range cfg.Environments {
		d, err := scripted.Load(folder, code.On(pool))
		if err != nil {
			return nil, fmt.Errorf("verifier: %w", err)
		}
		more = append(more, d)
	}
	if s.envs, err = newEnvironments(cfg.Episodes, more); err != nil {
		return nil, err
	}
	s.compiled.env.Episodes = &replayed.Deps{Lookup: s.envs.lookup, Names: s.envs.names, Answer: s.judgeAnswer, Clock: d.Clock}
	s.apart = rules.NewApart(cfg.Workers, s.startWorker)
	apart := s.compiled.env
	apart.Apart = s.apart
	s.others = newCompiledSpecs(apart)
	if d.Blobs != nil && cfg.Evidence == EvidenceStored {
		s.evidence = d.Blobs.NewPack()
	}
	return s, nil
}

// Register adds the service.
func (s *Service) Register(r grpc.ServiceRegistrar) { verifierv1.RegisterVerifierServiceServer(r, s) }

// Run makes evidence durable every second until ctx ends: every other goroutine belongs to a call. A crash may lose the
// evidence of the last second, which the same bytes give again; a verdict never waits for it.
func (s *Service) Run(ctx context.Context) error {
	if s.evidence == nil {
		<-ctx.Done()
		return errors.Join(ctx.Err(), s.close())
	}
	for {
		t := s.clock.NewTimer(syncEvidence)
		select {
		case <-ctx.Done():
			t.Stop()
			return errors.Join(ctx.Err(), s.evidence.Close(), s.close())
		case <-t.C():
			if err := s.evidence.Sync(); err != nil {
				s.log.Error("evidence of the last second may be lost", "error", err.Error())
			}
		}
	}
}

const syncEvidence = time.Second

func (s *Service) close() error {
	s.apart.Close()
	s.plugins.Close() // before the sandbox, in whose control groups they are
	return errors.Join(s.sandbox.Close(), s.peers.close())
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
