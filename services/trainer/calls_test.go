package trainer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer"
)

func (r *room) generate(req *trainerv1.GenerateRequest) (rows []*trainerv1.GenerateResponse, err error) {
	s, err := r.client.Generate(r.t.Context(), req)
	if err != nil {
		return nil, err
	}
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, m)
	}
}

func TestCallsOnCheckpoints(t *testing.T) {
	r := newRoom(t)
	run := newRun(t)
	seen := r.orchestrate(r.grpo(6, nil), run).must()
	last := seen.checkpoints[len(seen.checkpoints)-1]

	got, err := r.client.GetCheckpoint(t.Context(), &trainerv1.GetCheckpointRequest{Checkpoint: run + "@last"})
	if err != nil || string(got.GetCheckpoint().GetDigest()) != string(last.GetDigest()) {
		t.Errorf("@last: %v, %v", got, err)
	}
	if _, err := r.client.GetCheckpoint(t.Context(), &trainerv1.GetCheckpointRequest{Checkpoint: run + "@99"}); !rpc.Is(err, reason("CHECKPOINT_NOT_FOUND")) {
		t.Errorf("@99: %v", err)
	}
	var pages []int
	for token := ""; ; {
		page, err := r.client.ListCheckpoints(t.Context(), &trainerv1.ListCheckpointsRequest{RunId: run, PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, len(page.GetCheckpoints()))
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if fmt.Sprint(pages) != "[2 1]" {
		t.Errorf("pages of %v checkpoints", pages)
	}
	if _, err := r.client.ListCheckpoints(t.Context(), &trainerv1.ListCheckpointsRequest{RunId: run, PageToken: "x"}); !rpc.Is(err, reason("RESUME_TOKEN_FOREIGN")) {
		t.Errorf("a foreign token: %v", err)
	}

	ask := &trainerv1.GenerateRequest{Checkpoint: run + "@last", Prompts: [][]byte{[]byte("question 0: "), []byte("question 1: ")}, MaxTokens: 2, Temperature: 1, Seed: 5}
	rows, err := r.generate(ask)
	if err != nil || len(rows) != 2 || rows[1].GetIndex() != 1 || len(rows[0].GetText()) != 1 || string(rows[0].GetCheckpoint()) != string(last.GetDigest()) {
		t.Fatalf("%v, %v", rows, err)
	}
	again, err := r.generate(ask)
	if err != nil || string(again[0].GetTokens()) != string(rows[0].GetTokens()) || string(again[1].GetTokens()) != string(rows[1].GetTokens()) {
		t.Errorf("the same seed gave other rows: %v", err)
	}
	tokens, err := r.client.Tokenize(t.Context(), &trainerv1.TokenizeRequest{Checkpoint: run + "@last", Text: []byte("abc")})
	if err != nil || len(tokens.GetTokens()) != 3 || string(tokens.GetTokenizerDigest()) != string(seen.ready.GetTokenizerDigest()) {
		t.Errorf("%v, %v", tokens, err)
	}
}

func TestGenerateNamesWhatIsWrong(t *testing.T) {
	r := newRoom(t)
	run := newRun(t)
	r.orchestrate(r.grpo(2, nil), run).must()
	prompts := [][]byte{[]byte("q")}
	for _, c := range []struct {
		name, want string
		req        *trainerv1.GenerateRequest
	}{
		{"no such checkpoint", "CHECKPOINT_NOT_FOUND", &trainerv1.GenerateRequest{Checkpoint: "00", Prompts: prompts, MaxTokens: 2}},
		{"keys for other rows", "INVALID_ARGUMENT", &trainerv1.GenerateRequest{Checkpoint: run + "@last", Prompts: prompts, MaxTokens: 2,
			RowKeys: []*trainerv1.RowKey{{}, {}}}},
		{"longer than the context", "INVALID_ARGUMENT", &trainerv1.GenerateRequest{Checkpoint: run + "@last", Prompts: [][]byte{make([]byte, 4096)}, MaxTokens: 2}},
		{"an empty prompt", "INVALID_ARGUMENT", &trainerv1.GenerateRequest{Checkpoint: run + "@last", Prompts: [][]byte{{}}, MaxTokens: 2}},
	} {
		if rows, err := r.generate(c.req); !rpc.Is(err, reason(c.want)) || len(rows) > 0 {
			t.Errorf("%s: %d rows, %v", c.name, len(rows), err)
		}
	}
}

func TestPlansAndEngines(t *testing.T) {
	r := newRoom(t)
	engines, err := r.client.ListEngines(t.Context(), &trainerv1.ListEnginesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines.GetEngines() {
		if e.GetAvailable() != (e.GetName() == "tabular") || e.GetDetail() == "" {
			t.Errorf("%v", e)
		}
	}
	for _, c := range []struct {
		backend, want string
	}{{"tabular", ""}, {"TABULAR", ""}, {"auto", "NO_BACKEND"}, {"trl", "ENGINE_UNAVAILABLE"}, {"stub", "BACKEND_UNKNOWN"}, {"nobody", "BACKEND_UNKNOWN"}} {
		p, err := r.client.PlanTraining(t.Context(), &trainerv1.PlanTrainingRequest{Spec: r.grpo(3, func(s *trainerv1.TrainSpec) { s.Backend = c.backend })})
		if c.want == "" && (err != nil || p.GetEngine() != "tabular" || p.GetEffective().GetMinibatch() != 24) {
			t.Errorf("%s: %v, %v", c.backend, p, err)
		}
		if c.want != "" && !rpc.Is(err, reason(c.want)) {
			t.Errorf("%s: %v, want %s", c.backend, err, c.want)
		}
	}
}

func TestDatasetsThatCannotBeTrained(t *testing.T) {
	r := newRoom(t)
	missing := make([]byte, 32)
	for _, c := range []struct {
		name, want string
		digest     []byte
	}{
		{"not in the store", "DATASET_NOT_FOUND", missing},
		{"not JSON", "DATASET_INVALID", r.blob("{\n")},
		{"no prompt", "DATASET_INVALID", r.blob(`{"completion":"a"}`)},
		{"a prompt that is no text", "DATASET_INVALID", r.blob(`{"prompt":["a"]}`)},
		{"no row", "DATASET_INVALID", r.blob("\n")},
		{"nothing to learn from", "DATASET_INVALID", r.blob(`{"prompt":"a"}`)},
	} {
		o := r.orchestrate(r.sft(1), newRun(t))
		o.start.Spec.Dataset.Digest = c.digest
		if _, err := o.run(t.Context()); !rpc.Is(err, reason(c.want)) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// What a stage will refuse is refused by its plan: the rows of a second stage would else be read when the first is over.
func TestAPlanReadsTheRows(t *testing.T) {
	r := newRoom(t)
	row := func(prompt int) string {
		return fmt.Sprintf(`{"id":"long %d","prompt":"%s","completion":"a"}`+"\n", prompt, strings.Repeat("x", prompt))
	}
	e, err := r.engine.Open(t.Context(), trainer.Open{Model: r.grpo(1, nil).GetModel()})
	if err != nil {
		t.Fatal(err)
	}
	room := e.Info().Context
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want, names string
		spec              *trainerv1.TrainSpec
		rows              string
	}{
		{"fits", "", "", r.grpo(1, nil), row(room - 2)},
		{"no room for an answer", "DATASET_INVALID", fmt.Sprintf("long %d", room-1), r.grpo(1, nil), row(4) + row(room-1)},
		{"no room for the completion", "DATASET_INVALID", fmt.Sprintf("long %d", room), r.sft(1), row(room)},
		{"dropped, as asked", "", "", r.grpo(1, func(s *trainerv1.TrainSpec) { s.Overlong = "drop" }), row(4) + row(room)},
		{"none is left", "DATASET_INVALID", "no row", r.grpo(1, func(s *trainerv1.TrainSpec) { s.Overlong = "drop" }), row(room)},
		{"not in the store", "DATASET_NOT_FOUND", "ingest it first", r.grpo(1, nil), ""},
		{"no dataset to check", "", "", r.grpo(1, func(s *trainerv1.TrainSpec) { s.Dataset = nil }), ""},
		{"no such checkpoint", "CHECKPOINT_NOT_FOUND", "", r.grpo(1, func(s *trainerv1.TrainSpec) {
			s.Model = &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: "00"}}
		}), row(4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.rows != "" {
				c.spec.Dataset.Digest = r.blob(c.rows)
			} else if c.spec.GetDataset() != nil {
				c.spec.Dataset.Digest = make([]byte, 32)
			}
			_, err := r.client.PlanTraining(t.Context(), &trainerv1.PlanTrainingRequest{Spec: c.spec})
			if c.want == "" && err != nil || c.want != "" && (!rpc.Is(err, reason(c.want)) || !strings.Contains(err.Error(), c.names)) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// An engine that cannot run here is said when a run is planned, with its own reason, and not after its dataset was judged.
func TestAPlanProbesItsEngine(t *testing.T) {
	r := newRoom(t)
	r.engine.Probe = func(context.Context) (string, map[string]string, error) {
		return "", nil, rpc.Errorf(codes.FailedPrecondition, reason("ONNXRUNTIME_NOT_FOUND"), "no library")
	}
	r.serve(nil)
	if p, err := r.client.PlanTraining(t.Context(), &trainerv1.PlanTrainingRequest{Spec: r.grpo(3, func(*trainerv1.TrainSpec) {})}); !rpc.Is(err, reason("ONNXRUNTIME_NOT_FOUND")) {
		t.Errorf("%v, %v", p, err)
	}
}
