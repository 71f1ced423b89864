package loop

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/board"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// rig is a run among peers that it talks to over gRPC, with a database of its own.
type rig struct {
	*testing.T
	*diary
	rec  *recorder
	tr   *engine
	ver  *verifier
	eval *evaluator
	gov  *governance

	db    *store.DB
	blobs *blob.Store
	board *board.Board
	log   bytes.Buffer
	spec  *orchestratorv1.RunSpec
	peers Peers
	clock clock.Clock
}

const uid = "0123456789abcdefghjkmnpqrs"

// hurry is a clock on which every wait of the loop is over at once. A lease's renewal and a verdict's deadline never come:
// tests that are about them bring a clock of their own.
type hurry struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hurry) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hurry) NewTimer(d time.Duration) clock.Timer {
	c := make(chan time.Time, 1)
	if d <= longestWait && d != lease.Renew {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.now = h.now.Add(d)
		c <- h.now
		runtime.Gosched()
	}
	return fired(c)
}

type fired chan time.Time

func (f fired) C() <-chan time.Time { return f }
func (f fired) Stop() bool          { return false }

func newRig(t *testing.T) *rig {
	t.Helper()
	d := &diary{}
	r := &rig{T: t, diary: d, rec: &recorder{diary: d}, tr: &engine{diary: d, crashes: map[uint64]*trainerv1.Finished{}},
		ver: &verifier{diary: d}, eval: &evaluator{diary: d}, gov: &governance{diary: d}, clock: &hurry{now: time.Unix(1_000_000, 0)}}
	conn := grpctest.Serve(t, func(s grpc.ServiceRegistrar) {
		recorderv1.RegisterRecorderServiceServer(s, r.rec)
		trainerv1.RegisterTrainerServiceServer(s, r.tr)
		verifierv1.RegisterVerifierServiceServer(s, r.ver)
		evaluatorv1.RegisterEvaluatorServiceServer(s, r.eval)
		governancev1.RegisterGovernanceServiceServer(s, r.gov)
	})
	r.peers = Peers{Trainer: trainerv1.NewTrainerServiceClient(conn), Verifier: verifierv1.NewVerifierServiceClient(conn),
		Recorder: recorderv1.NewRecorderServiceClient(conn), Evaluator: evaluatorv1.NewEvaluatorServiceClient(conn),
		Governance: governancev1.NewGovernanceServiceClient(conn)}
	var err error
	if r.db, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), []store.Migration{board.Migration, journal.Migration, lease.Migration, outbox.Migration}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	if r.blobs, err = blob.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	r.board = board.New(r.db, r.clock, func() {})
	r.spec = &orchestratorv1.RunSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Seed: 3, Verifier: &verifierv1.Spec{Name: "math"},
		Train: r.rows(`{"prompt":"1+1","reference":"2"}` + "\n\n" + `{"prompt":"1+2","reference":"3"}` + "\n"),
		Model: &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: "base"}}, Hyper: &orchestratorv1.Hyper{MaxSteps: 4}}
	return r
}

func (r *rig) rows(jsonl string) *corev1.DatasetRef {
	r.Helper()
	d, _, err := r.blobs.Put(r.Context(), strings.NewReader(jsonl), nil)
	if err != nil {
		r.Fatal(err)
	}
	return &corev1.DatasetRef{Digest: d[:]}
}

// evals gives the run an eval set.
func (r *rig) evals() {
	r.spec.Eval = r.rows(`{"prompt":"2+2","reference":"4"}` + "\n")
	r.spec.Gate = &orchestratorv1.GateSpec{EvalEvery: 2}
}

// create puts the run on the board.
func (r *rig) create() {
	r.Helper()
	_, err := r.board.Create(r.Context(), "t", "", []byte{0}, &orchestratorv1.Run{Uid: uid, Spec: r.spec, State: run.Pending, Progress: &orchestratorv1.Progress{}})
	if err != nil {
		r.Fatal(err)
	}
}

// live is one process that owns the run until it has ended or the process dies.
func (r *rig) live(ctx context.Context, fault *faultline.Line) error {
	o := &Owner{Peers: r.peers, DB: r.db, Blobs: r.blobs, Journal: journal.New(r.db), Leases: lease.New(r.db), Board: r.board.Of(uid),
		Clock: r.clock, Fault: fault, Log: slog.New(slog.NewTextHandler(&r.log, nil)), Run: r.get(), Tenant: "t"}
	return o.Live(ctx, "process", true)
}

func (r *rig) get() *orchestratorv1.Run {
	r.Helper()
	got, err := r.board.Get(context.WithoutCancel(r.Context()), "t", uid)
	if err != nil {
		r.Fatal(err)
	}
	return got
}

// play creates the run, lives it to its end and gives it as it then is.
func (r *rig) play(want run.State) *orchestratorv1.Run {
	r.Helper()
	r.create()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	if err := r.live(ctx, nil); err != nil {
		r.Fatalf("live: %v\n%s", err, r.log.String())
	}
	got := r.get()
	if got.GetState() != want {
		r.Fatalf("the run is %s (%v), want %s\n%s", got.GetState(), got.GetFailure(), want, r.log.String())
	}
	return got
}

// killed lives until the process dies at a point.
func (r *rig) killed(p faultline.Point, n int) {
	r.Helper()
	if err := r.live(r.Context(), faultline.New(p, n, nil)); !errors.Is(err, faultline.ErrKilled) {
		r.Fatalf("not killed at %s: %v\n%s", p, err, r.log.String())
	}
}

// events are the states that watchers saw, with what was waited for.
func (r *rig) seen() []string {
	r.Helper()
	var out []string
	for at := uint64(0); ; {
		events, positions, err := r.board.Events(context.WithoutCancel(r.Context()), uid, at, 100)
		if err != nil {
			r.Fatal(err)
		}
		if len(events) == 0 {
			return out
		}
		for i, e := range events {
			at = positions[i]
			if x := e.GetRun(); x != nil {
				line := strings.TrimPrefix(x.GetState().String(), "RUN_STATE_")
				if w := x.GetProgress().GetWaiting(); w != "" {
					line += " waits for " + w
				}
				if len(out) == 0 || out[len(out)-1] != line {
					out = append(out, line)
				}
			}
		}
	}
}

func away() error {
	return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "the role is away")
}

func unmarshal[M proto.Message](t testing.TB, b []byte, m M) M {
	t.Helper()
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m
}
