package orchestrator

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/loop"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// planner is a trainer that plans what the test lets it.
type planner struct {
	trainerv1.TrainerServiceClient
	refusal error
	plans   int
}

func (p *planner) PlanTraining(context.Context, *trainerv1.PlanTrainingRequest, ...grpc.CallOption) (*trainerv1.PlanTrainingResponse, error) {
	p.plans++
	return &trainerv1.PlanTrainingResponse{}, p.refusal
}

func (p *planner) ListEngines(context.Context, *trainerv1.ListEnginesRequest, ...grpc.CallOption) (*trainerv1.ListEnginesResponse, error) {
	return &trainerv1.ListEnginesResponse{Engines: []*trainerv1.EngineStatus{{Name: "builtin"}}}, p.refusal
}

// absent is an evaluator that is never there: a run that is owned waits for it and holds its lease.
type absent struct {
	evaluatorv1.EvaluatorServiceClient
}

func (absent) ValidateDataset(context.Context, *evaluatorv1.ValidateDatasetRequest, ...grpc.CallOption) (*evaluatorv1.ValidateDatasetResponse, error) {
	return nil, rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "no evaluator")
}

// noVerifier is never reached by these tests.
type noVerifier struct {
	verifierv1.VerifierServiceClient
}

// rush is a clock on which every timer is over at once and takes its time with it.
type rush struct {
	mu  sync.Mutex
	now time.Time
}

func (r *rush) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rush) NewTimer(d time.Duration) clock.Timer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
	runtime.Gosched()
	c := make(chan time.Time, 1)
	c <- r.now
	return fired(c)
}

type fired chan time.Time

func (f fired) C() <-chan time.Time { return f }
func (fired) Stop() bool            { return false }

type rig struct {
	*testing.T
	*Service
	db      *store.DB
	planner *planner
	tracker *trackers
	passes  *passes
	client  orchestratorv1.OrchestratorServiceClient
	cancel  context.CancelFunc
	ran     chan error
}

func database(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newRig(t *testing.T, db *store.DB, c clock.Clock, publish outbox.Publish) *rig {
	t.Helper()
	r := &rig{T: t, db: db, planner: &planner{}, tracker: newTrackers(), passes: &passes{of: map[string]*governancev1.Passport{}}}
	blobs, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	peers := loop.Peers{Trainer: r.planner, Verifier: noVerifier{}, Recorder: r.tracker.serve(t), Evaluator: absent{}, Governance: r.passes}
	r.Service, err = New(Config{TokenKey: []byte("key")}, Deps{DB: db, Blobs: blobs, Peers: peers, Publish: publish, Clock: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.client = orchestratorv1.NewOrchestratorServiceClient(grpctest.ServeAs(t, grpctest.Token, func(s grpc.ServiceRegistrar) { r.Register(s) }))
	return r
}

// run starts owning runs.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.ran = cancel, make(chan error, 1)
	go func() { r.ran <- r.Service.Run(ctx) }()
	r.Cleanup(r.stop)
}

func (r *rig) stop() {
	r.cancel()
	r.ran <- <-r.ran
}

func spec() *orchestratorv1.RunSpec {
	return &orchestratorv1.RunSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Train: &corev1.DatasetRef{Digest: bytes.Repeat([]byte{1}, 32)},
		Model:    &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: "x"}},
		Hyper:    &orchestratorv1.Hyper{MaxSteps: 25},
		Verifier: &verifierv1.Spec{Name: "math"}}
}

func (r *rig) create(id string) *orchestratorv1.Run {
	r.Helper()
	got, err := r.client.CreateRun(r.Context(), &orchestratorv1.CreateRunRequest{Spec: spec(), RequestId: id})
	if err != nil {
		r.Fatal(err)
	}
	return got.GetRun()
}

// become puts a run into a state, as its owner would.
func (r *rig) become(uid string, states ...run.State) {
	r.Helper()
	for _, s := range states {
		if err := r.board.Update(r.Context(), uid, func(x *orchestratorv1.Run) { x.State = s }); err != nil {
			r.Fatal(err)
		}
	}
}

func as(ctx context.Context, tenant string) context.Context {
	return identity.NewContext(ctx, identity.Caller{Tenant: tenant, Name: "somebody", Role: corev1.Role_ROLE_ADMIN})
}

func (r *rig) refused(err error, why corev1.ErrorReason) {
	r.Helper()
	if !rpc.Is(err, why) {
		r.Errorf("got %v, want %s", err, why)
	}
}
