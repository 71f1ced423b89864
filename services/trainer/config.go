package trainer

import (
	"context"
	"io/fs"
	"log/slog"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/fence"
)

// Config are the trainer's settings.
type Config struct {
	Dir     string // of snapshots
	Threads int    // of the built-in engine, for Generate and Score; a run's own come with its spec
}

// Deps are the trainer's neighbours.
type Deps struct {
	DB      *store.DB // migrated with Migrations
	Blobs   *blob.Store
	Engines []Backend
	Clock   clock.Clock
	Fault   *faultline.Line
	Log     *slog.Logger
	Env     map[string]string // of the process, recorded beside the tree
}

// Migrations are the trainer's tables.
func Migrations() []store.Migration {
	return []store.Migration{checkpoint.Migration, fence.Migration}
}

// Backend is a kind of engine that this process can open.
type Backend struct {
	Name string
	// Open makes an engine; its errors have reasons (engine.ReasonOf).
	Open func(ctx context.Context, o Open) (engine.Engine, error)
	// Reads gives the tokenizer and the context that an engine would have, without making it: rows are checked against
	// them before a run. nil opens an engine for it.
	Reads func(ctx context.Context, o Open) (tok engine.Tokenizer, context int, err error)
	// Probe does it rather than importing it: it runs a node, and says with what.
	Probe func(ctx context.Context) (detail string, env map[string]string, err error)
	// Fits says why a spec cannot be trained by this engine; nil when it can.
	Fits       func(s *trainerv1.TrainSpec) error
	Algorithms []trainerv1.Algorithm
}

// Open is what to open: a fresh model, or the one in a folder.
type Open struct {
	Model   *trainerv1.ModelRef // init or tabular; nil when Folder is set
	Folder  fs.FS
	Peft    *trainerv1.PeftSpec
	Seed    uint64
	Threads int
	Device  string
}
