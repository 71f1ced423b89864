// Package governance proves what a run produced: keys, bill of materials, model signature, passport.
//
// It owns the signing keys; no other role signs a model, a passport or a BOM. The recorder signs its checkpoints with a
// key of its own.
package governance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/governance/audit"
	"github.com/provenir/provenir/services/governance/keys"
)

// Config are governance's settings.
type Config struct {
	Dir        string // of passports, a folder a run
	KeyDir     string
	Passphrase string // of new keys; empty keeps them unencrypted
}

// Deps are governance's neighbours.
type Deps struct {
	DB      *store.DB // migrated with Migrations
	Blobs   *blob.Store
	Trainer trainerv1.TrainerServiceClient
	Publish outbox.Publish // nil: messages wait in the outbox
	Clock   clock.Clock
	Log     *slog.Logger
}

// Migrations are governance's tables.
func Migrations() []store.Migration {
	return []store.Migration{keys.Migration, outbox.Migration, {Name: "passports", SQL: `
		CREATE TABLE passports (run TEXT PRIMARY KEY, inputs TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, bom TEXT NOT NULL, model TEXT NOT NULL,
			key_id TEXT NOT NULL, folder TEXT NOT NULL, created INTEGER NOT NULL);
		CREATE TABLE evidence (run TEXT NOT NULL, n INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (run, digest));`}, witnessed, audit.Migration}
}

// Service is governance.
type Service struct {
	governancev1.UnimplementedGovernanceServiceServer
	cfg   Config
	d     Deps
	keys  *keys.Keys
	relay *outbox.Relay
	busy  busy

	cosigner *keys.Cosigner
	audit    *audit.Log
}

// New checks and allocates; it starts nothing.
func New(cfg Config, d Deps) (*Service, error) {
	if cfg.Dir == "" || cfg.KeyDir == "" || d.DB == nil || d.Blobs == nil || d.Trainer == nil || d.Clock == nil || d.Log == nil {
		return nil, errors.New("governance: Dir, KeyDir, DB, Blobs, Trainer, Clock and Log are needed")
	}
	if err := tidy(cfg.Dir); err != nil {
		return nil, fmt.Errorf("governance: passport folder: %w", err)
	}
	k, err := keys.Open(cfg.KeyDir, d.DB, cfg.Passphrase)
	if err != nil {
		return nil, err
	}
	publish := d.Publish
	if publish == nil {
		publish = func(context.Context, outbox.Message) error { return errors.New("no NATS is configured") }
	}
	return &Service{cfg: cfg, d: d, keys: k, relay: outbox.NewRelay(d.DB, publish, d.Log, d.Clock),
		busy: busy{runs: map[string]chan struct{}{}}, cosigner: k.Cosigner(),
		audit: &audit.Log{DB: d.DB, Signer: k.LogKey().Signer, Now: d.Clock.Now}}, nil
}

// leftovers begins the names of folders that are being sealed. One that is there at start was left by a crash.
const leftovers = ".sealing-"

// tidy makes the folder of passports and removes what a crash left in it: whole models, which nobody else would.
func tidy(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), leftovers) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Register adds the service to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	governancev1.RegisterGovernanceServiceServer(r, s)
}

// Run sends what waits in the outbox until ctx ends.
func (s *Service) Run(ctx context.Context) error { return s.relay.Run(ctx) }

// Health says whether the database answers.
func (s *Service) Health(ctx context.Context) error {
	if err := s.d.DB.Ping(ctx); err != nil {
		return fmt.Errorf("governance database: %w", err)
	}
	return nil
}
