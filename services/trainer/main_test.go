package trainer_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/trainer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// room is a trainer with a disk, served in memory.
type room struct {
	t      *testing.T
	dir    string
	db     *store.DB
	blobs  *blob.Store
	engine trainer.Backend
	client trainerv1.TrainerServiceClient
}

func newRoom(t *testing.T) *room {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "trainer.db"), trainer.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	blobs, err := blob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, dir: dir, db: db, blobs: blobs, engine: trainer.Tabular()}
	r.serve(nil)
	return r
}

// serve starts a trainer on the room's disk, as after a restart.
func (r *room) serve(fault *faultline.Line) {
	r.t.Helper()
	s, err := trainer.New(trainer.Config{Dir: filepath.Join(r.dir, "runs")}, trainer.Deps{DB: r.db, Blobs: r.blobs, Clock: clock.System{},
		Engines: []trainer.Backend{r.engine}, Fault: fault, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.client = trainerv1.NewTrainerServiceClient(grpctest.Serve(r.t, s.Register))
}

// put stores a dataset of n questions with the answer in a column; the answers turn round over a, b, c, d.
func (r *room) put(n int) []byte {
	r.t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"id":"q%d","prompt":"question %d: ","completion":"%c","answer":"%c"}`+"\n", i, i, 'a'+i%4, 'a'+i%4)
	}
	return r.blob(lines.String())
}

func (r *room) blob(text string) []byte {
	r.t.Helper()
	d, _, err := r.blobs.Put(r.t.Context(), bytes.NewReader([]byte(text)), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return d[:]
}

func newRun(t *testing.T) string {
	t.Helper()
	id, err := idgen.Generator{}.New()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// grpo is a small stage over the tabular engine that learns within a few steps.
func (r *room) grpo(steps uint64, change func(*trainerv1.TrainSpec)) *trainerv1.TrainSpec {
	s := &trainerv1.TrainSpec{Backend: "tabular", Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, MaxSteps: steps, Seed: 7,
		Dataset:    &corev1.DatasetRef{Digest: r.put(6)},
		Model:      &trainerv1.ModelRef{From: &trainerv1.ModelRef_Tabular{Tabular: &trainerv1.TabularInit{Answers: []byte("abcd")}}},
		Sampling:   &trainerv1.Sampling{MaxTokens: 2, GroupSize: 8, PromptsPerStep: 3},
		Optimizer:  &trainerv1.Optimizer{Lr: proto.Float64(1), Warmup: proto.Uint32(0)},
		Checkpoint: &trainerv1.CheckpointSpec{Every: 2}}
	if change != nil {
		change(s)
	}
	return s
}

// sft is a stage of imitation.
func (r *room) sft(steps uint64) *trainerv1.TrainSpec {
	return r.grpo(steps, func(s *trainerv1.TrainSpec) {
		s.Algorithm, s.Sampling, s.BatchSize = trainerv1.Algorithm_ALGORITHM_SFT, nil, 6
	})
}
