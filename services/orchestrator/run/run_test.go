package run

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

func dataset(b byte) *corev1.DatasetRef {
	return &corev1.DatasetRef{Digest: bytes.Repeat([]byte{b}, 32)}
}

func spec() *orchestratorv1.RunSpec {
	return &orchestratorv1.RunSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Train: dataset(1), Eval: dataset(2), Seed: 7,
		Model:    &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: "x"}},
		Warmup:   &orchestratorv1.Warmup{Steps: 100, BatchSize: 8},
		Hyper:    &orchestratorv1.Hyper{MaxSteps: 25},
		Gate:     &orchestratorv1.GateSpec{EvalEvery: 10},
		Verifier: &verifierv1.Spec{Name: "math"}}
}

func TestStages(t *testing.T) {
	got := Stages(spec())
	if len(got) != 2 || got[0].Name != "sft" || got[1].Name != "grpo" || got[1].FirstStep != 100 || !got[1].RL || got[0].RL {
		t.Fatalf("got %+v", got)
	}
	if got[0].Spec.GetModel() == nil || got[1].Spec.GetModel() != nil {
		t.Error("the second stage must go on with the first one's policy")
	}
	if want := []uint64{10, 20, 25}; !slices.Equal(got[1].EvalSteps, want) || len(got[0].EvalSteps) != 0 {
		t.Errorf("evaluations after %v, want %v", got[1].EvalSteps, want)
	}
	plain := spec()
	plain.Warmup, plain.Eval, plain.Gate = nil, nil, nil
	if got := Stages(plain); len(got) != 1 || got[0].Spec.GetModel() == nil || len(got[0].EvalSteps) != 0 || got[0].EvalBefore {
		t.Errorf("got %+v", got)
	}
}

func TestDeclaredIsSemantic(t *testing.T) {
	declared := func(s *orchestratorv1.RunSpec) []byte {
		b, err := Declared(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	base := spec()
	base.Engine = &orchestratorv1.EngineSpec{Backend: "builtin"}
	same := proto.CloneOf(base)
	same.DisplayName, same.Labels, same.Engine.Threads, same.Engine.Device = "mine", map[string]string{"a": "b"}, 4, "cpu"
	if !bytes.Equal(declared(base), declared(same)) {
		t.Error("a name or a thread count changes the semantic spec")
	}
	other := proto.CloneOf(base)
	other.Engine.Inject = &trainerv1.Injection{Kind: "nan"}
	if bytes.Equal(declared(base), declared(other)) {
		t.Error("an injection does not change the semantic spec")
	}
	if same.GetDisplayName() == "" {
		t.Error("Declared changed its argument")
	}
}

func TestCheck(t *testing.T) {
	for field, change := range map[string]func(*orchestratorv1.RunSpec){
		"":               func(*orchestratorv1.RunSpec) {},
		"train":          func(s *orchestratorv1.RunSpec) { s.Train = &corev1.DatasetRef{} },
		"eval":           func(s *orchestratorv1.RunSpec) { s.Eval = &corev1.DatasetRef{Digest: []byte("short")} },
		"warmup.dataset": func(s *orchestratorv1.RunSpec) { s.Warmup.Dataset = &corev1.DatasetRef{} },
		"verifier":       func(s *orchestratorv1.RunSpec) { s.Verifier = nil },
		"gate.metric": func(s *orchestratorv1.RunSpec) {
			s.Algorithm, s.Verifier = trainerv1.Algorithm_ALGORITHM_SFT, nil
		},
	} {
		s := spec()
		change(s)
		var p Problem
		if err := Check(s); errors.As(err, &p) != (field != "") || p.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestNothingIsSucceededWithoutASeal(t *testing.T) {
	for from := range orchestratorv1.RunState_name {
		if err := Next(State(from), Succeeded); (err == nil) != (State(from) == Sealing) {
			t.Errorf("%s to SUCCEEDED: %v", State(from), err)
		}
		if Ended(State(from)) {
			for to := range orchestratorv1.RunState_name {
				if Next(State(from), State(to)) == nil {
					t.Errorf("%s goes on to %s", State(from), State(to))
				}
			}
		}
	}
}
