// Package trainer is the room that makes rollouts and turns rewards into weights.
//
// The orchestrator drives it over one Train stream a run and never learns which engine is behind it. What is pure lies
// in the inner packages: plan, rows, chain, engine/objective; runner is one stage; this package is the contract.
package trainer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/fence"
)

// Service is the trainer.
type Service struct {
	trainerv1.UnimplementedTrainerServiceServer
	cfg         Config
	d           Deps
	checkpoints *checkpoint.Store
	fence       *fence.Fence
	reader      reader // of Generate, Score, Tokenize

	mu      sync.Mutex
	streams map[string]*stream // by run
}

// New checks and allocates; it starts nothing.
func New(cfg Config, d Deps) (*Service, error) {
	if cfg.Dir == "" || d.DB == nil || d.Blobs == nil || d.Clock == nil || d.Log == nil {
		return nil, errors.New("trainer: Dir, DB, Blobs, Clock and Log are needed")
	}
	if len(d.Engines) == 0 {
		return nil, errors.New("trainer: no engine to train with")
	}
	if cfg.Threads == 0 {
		cfg.Threads = 2
	}
	s := &Service{cfg: cfg, d: d, checkpoints: checkpoint.NewStore(d.DB, d.Blobs), fence: fence.New(d.DB), streams: map[string]*stream{}}
	s.reader.open = s.openCheckpoint
	return s, nil
}

// Register adds the service to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) { trainerv1.RegisterTrainerServiceServer(r, s) }

// Run lives until ctx ends, then frees the engines.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	return errors.Join(ctx.Err(), s.reader.close())
}

// Health says whether the database answers.
func (s *Service) Health(ctx context.Context) error {
	if err := s.d.DB.Ping(ctx); err != nil {
		return fmt.Errorf("trainer database: %w", err)
	}
	return nil
}
