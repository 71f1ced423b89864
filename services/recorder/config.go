package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/outbox"
	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/alert"
	"github.com/provenir/provenir/services/recorder/deeds"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/hold"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/retain"
	"github.com/provenir/provenir/services/recorder/roster"
	"github.com/provenir/provenir/services/recorder/ship"
	"github.com/provenir/provenir/services/recorder/store"
	"github.com/provenir/provenir/services/recorder/vault"
)

// Config are the recorder's settings. The zero value of a field means its default.
type Config struct {
	Store         store.Config
	CreditBytes   int64         // what a writer may have under way; 8 MiB
	Heartbeat     time.Duration // of watches; 5 s
	SnapshotSteps uint64        // steps between two stored detector states, which a restart replays; 512
	Tick          time.Duration // of what depends on a clock: stalls, disk space; 1 s
	CosignEvery   time.Duration // between two requests for a cosignature while a run lives; 1 min
	CosignWait    time.Duration // how long a seal, or a round, waits for one; 10 s
	ReadyWait     time.Duration // how long a call waits for the recovery; 5 s
	InspectShare  float64       // of one processor, to look at rollouts with; 0.2, negative looks at none but where a run is strict
	InspectBehind uint64        // events that an inspection may be late before it goes to the newest step; 16,384
	Source        string        // this recorder's name in CloudEvents; provenir.dev/recorder
	Sinks         []alert.Sink  // who is told of anomalies; nobody without any
	Ship          ship.Config   // where sealed segments are copied to; nowhere without an endpoint
	Retain        retain.Rule   // how long payloads are kept; for ever
	RetainEvery   time.Duration // between two passes of retention; 1 h
}

func (c Config) withDefaults() (Config, error) {
	if c.CreditBytes == 0 {
		c.CreditBytes = 8 << 20
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 5 * time.Second
	}
	if c.SnapshotSteps == 0 {
		c.SnapshotSteps = 512
	}
	if c.Tick == 0 {
		c.Tick = time.Second
	}
	if c.CosignEvery == 0 {
		c.CosignEvery = time.Minute
	}
	if c.CosignWait == 0 {
		c.CosignWait = 10 * time.Second
	}
	if c.ReadyWait == 0 {
		c.ReadyWait = 5 * time.Second
	}
	if c.InspectShare == 0 {
		c.InspectShare = 0.2
	}
	if c.InspectBehind == 0 {
		c.InspectBehind = 16 << 10
	}
	if c.RetainEvery == 0 {
		c.RetainEvery = time.Hour
	}
	if err := c.Retain.Check(); err != nil {
		return c, fmt.Errorf("recorder.retain.events: %w", err)
	}
	if c.Source == "" {
		c.Source = "provenir.dev/recorder"
	}
	if c.InspectShare > 1 || c.InspectShare != c.InspectShare {
		return c, errors.New("recorder: the share of a processor for inspections is at most 1")
	}
	if c.CreditBytes < maxBatchBytes || c.Heartbeat < 0 || c.Tick < 0 || c.CosignEvery < 0 || c.CosignWait < 0 || c.ReadyWait < 0 || c.RetainEvery < 0 {
		return c, errors.New("recorder: credit must be at least 4 MiB, heartbeat, tick and other times above 0")
	}
	return c, nil
}

// Deps are the recorder's neighbours.
type Deps struct {
	Disk    disk.FS       // the ledger's folder
	DB      *rolestore.DB // migrated with Migrations
	Signer  note.Signer   // of checkpoints
	VKey    string        // its public key, as people pass it on
	Blobs   store.Blobs
	Transit Transit // where writers of salted runs leave large payloads; nil refuses those
	Copies  Copies  // the store that Config.Ship names; nil without one
	Tokens  cursor.Signer
	Publish outbox.Publish // nil leaves findings in the outbox
	// Countersigner is governance; nil leaves checkpoints without a cosignature, and they say so.
	Countersigner Countersigner
	// Auditor is governance; nil leaves what is done to logs unaudited, and it says so.
	Auditor Auditor
	Clock   clock.Clock
	Metrics prometheus.Registerer       // nil counts nothing
	Env     func(string) (string, bool) // of the sinks' secrets; os.LookupEnv
	Fault   *faultline.Line
	Log     *slog.Logger
}

// Transit is where writers of salted runs leave large payloads.
type Transit interface {
	store.Transit
	// SweepTransit removes what nobody has taken over since a time.
	SweepTransit(ctx context.Context, before time.Time) error
}

// Copies is the store of shipped segments.
type Copies interface {
	ship.Remote
	store.Copies
}

// Migrations are the recorder's tables.
func Migrations() []rolestore.Migration {
	return slices.Concat(publish.Migrations(), alert.Migrations(), vault.Migrations(), hold.Migrations(), roster.Migrations(), vault.LaterMigrations(), deeds.Migrations())
}
