package protoyaml

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

func TestReadsAWholeSpec(t *testing.T) {
	var got orchestratorv1.RunSpec
	err := Unmarshal("run.yaml", []byte(`
algorithm: dr_grpo
model: {init: {dim: 64, layers: 4, heads: 2, ffn: 192}}
verifier: {name: math, options: {profile: last_boxed, float_rounding: 6}}
hyper:
  max_steps: 1_000
  optimizer: {lr: 3e-4, schedule: cosine}
  sampling: {temperature: 1.0, group_size: 8}
limits: {verdict_timeout: 5s, allow_contaminated: true}
labels: {team: a}
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_DR_GRPO || got.GetModel().GetInit().GetDim() != 64 ||
		got.GetHyper().GetMaxSteps() != 1000 || got.GetHyper().GetOptimizer().GetLr() != 3e-4 ||
		got.GetVerifier().GetOptions().GetFields()["profile"].GetStringValue() != "last_boxed" ||
		got.GetLimits().GetVerdictTimeout().GetSeconds() != 5 || got.GetLabels()["team"] != "a" {
		t.Errorf("got %v", &got)
	}
}

func TestErrorsNameFileLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"slip", "hyper:\n  max_step: 3\n", "f:2: hyper.max_step: unknown key (did you mean max_steps?)"},
		{"enum", "algorithm: gropo\n", "f:1: algorithm: \"gropo\": want one of sft, grpo"},
		{"type", "seed: -1\n", `f:1: seed: "-1": want a whole number (uint64)`},
		{"not finite", "hyper: {optimizer: {lr: .nan}}\n", "want a finite number"},
		{"oneof", "model:\n  init: {dim: 8}\n  checkpoint: x\n", "f:3: model.checkpoint: init is given already"},
		{"twice", "seed: 1\nseed: 2\n", "seed"},
		{"list", "gate: [1]\n", "f:1: gate: want fields of GateSpec"},
		{"bool", "limits: {allow_contaminated: yes}\n", "want true or false"},
		{"duration", "limits: {verdict_timeout: soon}\n", "want a Duration"},
		{"null", "seed: null\n", "want a uint64"},
		{"not YAML", "a: [\n", "f: "},
	} {
		var m orchestratorv1.RunSpec
		if err := Unmarshal("f", []byte(c.text), &m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
}

func TestSet(t *testing.T) {
	m := &orchestratorv1.RunSpec{Seed: 1, Hyper: &orchestratorv1.Hyper{MaxSteps: 5, MicroBatch: 7}}
	if err := Set(m, "hyper.max_steps", "20"); err != nil {
		t.Fatal(err)
	}
	want := &orchestratorv1.RunSpec{Seed: 1, Hyper: &orchestratorv1.Hyper{MaxSteps: 20, MicroBatch: 7}}
	if !proto.Equal(m, want) {
		t.Errorf("got %v", m)
	}
	if err := Set(m, "hyper.steps", "1"); err == nil {
		t.Error("an unknown field was set")
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add("hyper:\n  max_steps: 3\n")
	f.Add("model: {init: {dim: 8}}\nlabels: {a: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		var m orchestratorv1.RunSpec
		_ = Unmarshal("f", []byte(text), &m) // must return
	})
}
