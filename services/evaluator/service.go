// Package evaluator gives scores that say how sure they are: datasets by content, held-out evaluation of a checkpoint,
// intervals and paired tests.
package evaluator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/cache"
	"github.com/provenir/provenir/internal/store"
)

// Deps are the evaluator's neighbours.
type Deps struct {
	DB       *store.DB // migrated with Migrations
	Blobs    *blob.Store
	Cache    cache.Cache
	Trainer  trainerv1.TrainerServiceClient
	Verifier verifierv1.VerifierServiceClient
	Log      *slog.Logger
}

// Migrations are the evaluator's tables.
func Migrations() []store.Migration {
	return []store.Migration{{Name: "datasets", SQL: `CREATE TABLE datasets (digest TEXT PRIMARY KEY, name TEXT NOT NULL,
		size INTEGER NOT NULL, rows INTEGER NOT NULL, bad INTEGER NOT NULL, root BLOB NOT NULL, columns TEXT NOT NULL)`}}
}

// Service is the evaluator.
type Service struct {
	evaluatorv1.UnimplementedEvaluatorServiceServer
	d Deps
}

// New checks; it starts nothing.
func New(d Deps) (*Service, error) {
	if d.DB == nil || d.Blobs == nil || d.Cache == nil || d.Trainer == nil || d.Verifier == nil || d.Log == nil {
		return nil, errors.New("evaluator: every dependency is needed")
	}
	return &Service{d: d}, nil
}

// Register adds the service to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) { evaluatorv1.RegisterEvaluatorServiceServer(r, s) }

// Run has nothing to do between calls.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Health says whether the database answers.
func (s *Service) Health(ctx context.Context) error {
	if err := s.d.DB.Ping(ctx); err != nil {
		return fmt.Errorf("evaluator database: %w", err)
	}
	return nil
}
