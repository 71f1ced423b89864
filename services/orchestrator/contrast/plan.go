package contrast

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// Names of arms that the plan treats by themselves.
const (
	Warmup   = "warmup"
	Real     = "real"
	Shuffled = "shuffled"
)

// Controls are all of them, in the order in which they are trained.
func Controls() []string {
	return []string{"random", "constant", "format_only", "length_only", Shuffled}
}

// Plan says which runs compare a reward with controls.
type Plan struct {
	base  *orchestratorv1.RunSpec
	arms  []string // real first
	Seeds []uint64
}

// NewPlan makes one. The runs have no gates: one that stopped a run would compare unequal budgets.
func NewPlan(base *orchestratorv1.RunSpec, controls []string, seeds uint32) Plan {
	base = proto.CloneOf(base)
	base.Gate = &orchestratorv1.GateSpec{Metric: base.GetGate().GetMetric()}
	if base.Engine != nil {
		base.Engine.Inject = nil
	}
	if len(controls) == 0 {
		controls = Controls()
	}
	p := Plan{base: base, arms: append([]string{Real}, controls...)}
	for i := range uint64(max(seeds, 1)) {
		p.Seeds = append(p.Seeds, base.GetSeed()+i)
	}
	return p
}

// Arms are the rewards that are trained on, real first.
func (p Plan) Arms() []string { return slices.Clone(p.arms) }

// Warms says that each seed begins with a warm-up of its own, which its arms share.
func (p Plan) Warms() bool { return p.base.GetWarmup() != nil }

// Runs is their number.
func (p Plan) Runs() int {
	n := len(p.arms)
	if p.Warms() {
		n++
	}
	return n * len(p.Seeds)
}

// WarmupRun is the SFT run whose last checkpoint the arms of a seed begin with.
func (p Plan) WarmupRun(seed uint64) *orchestratorv1.RunSpec {
	s := p.seeded(Warmup, seed)
	w := s.GetWarmup()
	if w.GetDataset() != nil {
		s.Train = w.GetDataset()
	}
	s.Algorithm, s.Warmup, s.Eval, s.Verifier, s.HeldoutVerifier = trainerv1.Algorithm_ALGORITHM_SFT, nil, nil, nil, nil
	s.Hyper = &orchestratorv1.Hyper{MaxSteps: w.GetSteps(), BatchSize: w.GetBatchSize(), Optimizer: w.GetOptimizer(), Overlong: p.base.GetHyper().GetOverlong()}
	return s
}

// ArmRun is the run of an arm: warmed is the checkpoint of the seed's warm-up, empty without one, and shuffled the dataset with the
// rows of other tasks, which only that arm needs.
func (p Plan) ArmRun(arm string, seed uint64, warmed string, shuffled *corev1.DatasetRef) (*orchestratorv1.RunSpec, error) {
	s := p.seeded(arm, seed)
	s.Warmup = nil
	if warmed != "" {
		s.Model = &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: warmed}}
	}
	switch arm {
	case Real:
	case Shuffled:
		s.Train = shuffled
	default:
		options, err := structpb.NewStruct(map[string]any{"kind": arm, "seed": float64(seed)})
		if err != nil {
			return nil, fmt.Errorf("options of the control %s: %w", arm, err)
		}
		if s.HeldoutVerifier == nil { // what judges the eval set must stay
			s.HeldoutVerifier = s.Verifier
		}
		s.Verifier = &verifierv1.Spec{Name: "control", Options: options}
	}
	return s, nil
}

func (p Plan) seeded(arm string, seed uint64) *orchestratorv1.RunSpec {
	s := proto.CloneOf(p.base)
	s.Seed = seed
	s.DisplayName = fmt.Sprintf("%s, seed %d", arm, seed)
	labels := map[string]string{"control": arm}
	for k, v := range s.GetLabels() {
		if k != "control" {
			labels[k] = v
		}
	}
	s.Labels = labels
	return s
}
