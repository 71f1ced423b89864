package mesh

import (
	"context"
	"fmt"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/builtin"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// builtinBackend is the engine on ONNX Runtime.
func builtinBackend(library string, spin bool, threads int) trainer.Backend {
	config := func(o trainer.Open) builtin.Config {
		cfg := builtin.Config{Folder: o.Folder, Seed: o.Seed, Device: o.Device, Library: library, Threads: o.Threads, Spin: spin}
		if i := o.Model.GetInit(); i != nil && o.Folder == nil {
			cfg.Init = &builtin.Init{Dim: int(i.GetDim()), Layers: int(i.GetLayers()), Heads: int(i.GetHeads()), KVHeads: int(i.GetKvHeads()),
				FFN: int(i.GetFfn()), Theta: i.GetTheta(), Context: int(i.GetContext())}
			if cfg.Init.Context == 0 {
				cfg.Init.Context = 256
			}
		}
		if p := o.Peft; p != nil {
			cfg.LoRA = &llama.LoRA{Rank: int(p.GetRank()), Alpha: p.GetAlpha(), Targets: p.GetTargetModules(), RSLoRA: p.GetUseRslora()}
		}
		return cfg
	}
	return trainer.Backend{
		Name: "builtin",
		Open: func(_ context.Context, o trainer.Open) (engine.Engine, error) {
			return builtin.New(config(o))
		},
		Reads: func(_ context.Context, o trainer.Open) (engine.Tokenizer, int, error) {
			return builtin.Reads(config(o))
		},
		Probe: func(ctx context.Context) (string, map[string]string, error) {
			return builtin.Probe(ctx, builtin.Config{Library: library, Threads: threads, Device: "auto"})
		},
		Fits: fitsBuiltin,
		Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_SFT, trainerv1.Algorithm_ALGORITHM_GRPO,
			trainerv1.Algorithm_ALGORITHM_DAPO, trainerv1.Algorithm_ALGORITHM_GSPO, trainerv1.Algorithm_ALGORITHM_DR_GRPO},
	}
}

func fitsBuiltin(s *trainerv1.TrainSpec) error {
	unsupported := func(what string) error {
		return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: fmt.Sprintf("%s: use backend: trl, unsloth or verl", what)}
	}
	switch p, d := s.GetPeft(), s.GetDistributed(); {
	case s.GetModel().GetTabular() != nil:
		return &engine.Error{Reason: "ARCHITECTURE_UNSUPPORTED", Detail: "model.tabular is of backend: tabular"}
	case p.GetLoadIn_4Bit() || p.GetLoadIn_8Bit():
		return unsupported("4-bit and 8-bit loading")
	case d.GetNumGpus() > 1 || d.GetNumNodes() > 1 || (d.GetStrategy() != "" && d.GetStrategy() != "none"):
		return unsupported("distributed training")
	}
	return nil
}
