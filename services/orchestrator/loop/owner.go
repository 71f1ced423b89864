// Package loop is the life of one run in the hands of its owner: checks, stages, steps, gates, the end, and every restart.
//
// An attempt opens streams, goes to the earliest step that is not wholly recorded, and runs until the end or an error. An
// error that will pass is followed by another attempt; what is on disk already is repeated and compared, never doubled.
package loop

import (
	"context"
	"log/slog"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/gate"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/pump"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// Points where a process may die.
const (
	PointAttempt faultline.Point = "loop.attempt"
	PointOpened  faultline.Point = "loop.opened"
	PointHeader  faultline.Point = "loop.header"
	PointReport  faultline.Point = "loop.report"
	PointEval    faultline.Point = "loop.eval"
	PointGate    faultline.Point = "loop.gate"
	PointJournal faultline.Point = "loop.journal"
	PointDecided faultline.Point = "loop.decided"
	PointClose   faultline.Point = "loop.close"
	PointSealed  faultline.Point = "loop.sealed"
)

// Peers are the other roles.
type Peers struct {
	Trainer    trainerv1.TrainerServiceClient
	Verifier   verifierv1.VerifierServiceClient
	Recorder   recorderv1.RecorderServiceClient
	Evaluator  evaluatorv1.EvaluatorServiceClient
	Governance governancev1.GovernanceServiceClient
}

// Board is where the owner keeps the run that people see, and what they asked for.
type Board interface {
	// Update changes the run and tells watchers; f must not keep its argument. also runs in the same transaction, if f
	// changed anything.
	Update(ctx context.Context, f func(*orchestratorv1.Run), also ...func(store.Tx) error) error
	// Publish adds an event to the run's watch stream, in the caller's transaction.
	Publish(ctx context.Context, q store.Queryer, e *orchestratorv1.WatchRunResponse) error
	// Published wakes watchers after the transaction.
	Published()
	// Hold asks for a pause in a person's place: a gate did.
	Hold(ctx context.Context) error
	// Asked says what a person wants: "", pause or cancel; Changed wakes when it changes.
	Asked(ctx context.Context) (string, error)
	Changed() <-chan struct{}
}

// Owner drives one run.
type Owner struct {
	Peers   Peers
	DB      *store.DB
	Blobs   *blob.Store
	Journal *journal.Journal
	Leases  *lease.Leases
	Board   Board
	Clock   clock.Clock
	Fault   *faultline.Line
	Log     *slog.Logger
	Run     *orchestratorv1.Run // as it was when this process took it
	Tenant  string

	grant  lease.Grant
	stages []run.Stage
}

// attempt is one try, with its streams.
type attempt struct {
	*Owner
	ledger  *pump.Ledger
	pump    *pump.Pump
	second  pump.Channel // what the second verdicts of the step say
	trainer *trainer
	stage   run.Stage

	gate       gate.State
	branch     uint32
	step       uint64 // next to be made
	firstSeq   uint64 // of the step under way
	checkpoint []byte // newest
	chain      []byte
	ready      *trainerv1.Ready
	judge      *verifierv1.VerifyOpened
	ending     run.State // set by the decision that ended the run
}

// dataset says what validation found, for DATA_ORDER.
type dataset struct {
	shared *uint64
}
