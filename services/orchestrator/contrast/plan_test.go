package contrast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

func base() *orchestratorv1.RunSpec {
	return &orchestratorv1.RunSpec{
		DisplayName: "mine", Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Seed: 7, Labels: map[string]string{"team": "a"},
		Train: &corev1.DatasetRef{Digest: bytes.Repeat([]byte{1}, 32)}, Eval: &corev1.DatasetRef{Digest: bytes.Repeat([]byte{2}, 32)},
		Model:    &trainerv1.ModelRef{From: &trainerv1.ModelRef_Init{Init: &trainerv1.ModelInit{Dim: 8}}},
		Verifier: &verifierv1.Spec{Name: "math"},
		Warmup:   &orchestratorv1.Warmup{Steps: 30, BatchSize: 4, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(.1)}},
		Engine:   &orchestratorv1.EngineSpec{Backend: "builtin", Inject: &trainerv1.Injection{Kind: "nan"}},
		Gate:     &orchestratorv1.GateSpec{EvalEvery: 5, Metric: "exact_match", OnCritical: orchestratorv1.GateAction_GATE_ACTION_STOP},
		Hyper:    &orchestratorv1.Hyper{MaxSteps: 20},
	}
}

func TestThePlanCounts(t *testing.T) {
	p := NewPlan(base(), nil, 3)
	if got := fmt.Sprint(p.Arms(), p.Seeds, p.Runs(), p.Warms()); got != "[real random constant format_only length_only shuffled] [7 8 9] 21 true" {
		t.Error(got)
	}
	b := base()
	b.Warmup = nil
	if p := NewPlan(b, []string{"random"}, 4); p.Runs() != 8 || p.Warms() {
		t.Errorf("%d runs", p.Runs())
	}
}

// Every run of a seed has the same budget, data, weights and judge; only the reward differs.
func TestOnlyTheRewardDiffers(t *testing.T) {
	p := NewPlan(base(), nil, 3)
	shuffled := &corev1.DatasetRef{Digest: bytes.Repeat([]byte{3}, 32)}
	for _, name := range p.Arms() {
		s, err := p.ArmRun(name, 8, "abc", shuffled)
		if err != nil {
			t.Fatal(err)
		}
		if s.GetSeed() != 8 || s.GetWarmup() != nil || s.GetModel().GetCheckpoint() != "abc" || s.GetGate().GetEvalEvery() != 0 || s.GetGate().GetOnCritical() != 0 ||
			s.GetGate().GetMetric() != "exact_match" || s.GetEngine().GetInject() != nil || s.GetLabels()["control"] != name || s.GetLabels()["team"] != "a" ||
			!proto.Equal(s.GetEval(), base().GetEval()) || s.GetHyper().GetMaxSteps() != 20 {
			t.Errorf("%s: %v", name, s)
		}
		isControl := name != Real && name != Shuffled
		if paid := s.GetVerifier().GetName() == "control"; paid != isControl {
			t.Errorf("%s is paid by %s", name, s.GetVerifier())
		}
		judge := s.GetHeldoutVerifier()
		if judge == nil {
			judge = s.GetVerifier()
		}
		if judge.GetName() != "math" {
			t.Errorf("%s is judged by %s", name, judge)
		}
		if moved := string(s.GetTrain().GetDigest()) == string(shuffled.GetDigest()); moved != (name == Shuffled) {
			t.Errorf("%s trains on %x", name, s.GetTrain().GetDigest())
		}
		if isControl && (s.GetVerifier().GetOptions().AsMap()["kind"] != name || s.GetVerifier().GetOptions().AsMap()["seed"] != 8.0) {
			t.Errorf("%s: %v", name, s.GetVerifier())
		}
	}
}

func TestAStricterJudgeStays(t *testing.T) {
	b := base()
	b.HeldoutVerifier = &verifierv1.Spec{Name: "exact_answer"}
	p := NewPlan(b, nil, 3)
	for _, name := range p.Arms() {
		if s, err := p.ArmRun(name, 7, "", &corev1.DatasetRef{}); err != nil || s.GetHeldoutVerifier().GetName() != "exact_answer" || s.GetModel().GetInit() == nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if base().GetHeldoutVerifier() != nil {
		t.Error("the plan changed its base")
	}
}

func TestTheWarmupIsSFT(t *testing.T) {
	p := NewPlan(base(), nil, 3)
	s := p.WarmupRun(9)
	if s.GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_SFT || s.GetSeed() != 9 || s.GetHyper().GetMaxSteps() != 30 || s.GetHyper().GetBatchSize() != 4 ||
		s.GetHyper().GetOptimizer().GetLr() != .1 || s.GetVerifier() != nil || s.GetEval() != nil || s.GetWarmup() != nil || string(s.GetTrain().GetDigest()) != string(base().GetTrain().GetDigest()) {
		t.Errorf("%v", s)
	}
	b := base()
	b.Warmup.Dataset = &corev1.DatasetRef{Digest: bytes.Repeat([]byte{9}, 32)}
	if s := NewPlan(b, nil, 3).WarmupRun(9); s.GetTrain().GetDigest()[0] != 9 {
		t.Errorf("it trains on %v", s.GetTrain())
	}
}

func TestShuffle(t *testing.T) {
	var data strings.Builder
	for i := range 50 {
		fmt.Fprintf(&data, `{"id":"r%d","prompt":"p%d","reference":"%d","numbers":[%d,12345678901234567890]}`+"\n", i, i, i%10, i%10)
	}
	out, err := Shuffle([]byte(data.String()+"\n\n"), 3)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != 50 {
		t.Fatalf("%d rows", len(lines))
	}
	counts := map[string]int{}
	for i, line := range lines {
		var row struct {
			ID, Prompt, Reference string
			Numbers               []json.Number
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		counts[row.Reference]++
		if row.ID != fmt.Sprintf("r%d", i) || row.Prompt != fmt.Sprintf("p%d", i) {
			t.Errorf("row %d is %s %s", i, row.ID, row.Prompt)
		}
		if row.Reference == fmt.Sprint(i%10) {
			t.Errorf("row %d asks for its own answer", i)
		}
		if row.Numbers[0].String() != row.Reference || row.Numbers[1].String() != "12345678901234567890" {
			t.Errorf("row %d was torn apart: %s", i, line)
		}
	}
	for ref, n := range counts {
		if n != 5 {
			t.Errorf("reference %s comes %d times", ref, n)
		}
	}
	again, _ := Shuffle([]byte(data.String()), 3)
	other, _ := Shuffle([]byte(data.String()), 4)
	if !bytes.Equal(out, again) || bytes.Equal(out, other) {
		t.Error("the seed does not draw it")
	}
}

func TestWhatCannotBeShuffled(t *testing.T) {
	for name, data := range map[string]string{"nothing": "", "one row": `{"prompt":"a","reference":"1"}`,
		"all ask for the same": `{"prompt":"a","reference":"1"}` + "\n" + `{"prompt":"b","reference":"1"}` + "\n" + `{"prompt":"c","reference":"1"}`,
		"no reference at all":  `{"prompt":"a"}` + "\n" + `{"prompt":"b"}`} {
		if out, err := Shuffle([]byte(data), 1); !errors.Is(err, ErrNoControls) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	if _, err := Shuffle([]byte("{\"a\":1}\nnonsense"), 1); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}
