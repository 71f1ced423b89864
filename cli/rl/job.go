package rl

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/provenir/provenir/cli/app"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// job adds the flags that say what is trained, on what, and how.
func (o *options) job(f *pflag.FlagSet) {
	f.StringVar(&o.demo, "demo", "", "make problems and train a small policy on them: arithmetic (where nothing is named), json, code, tools or hack")
	f.Lookup("demo").NoOptDefVal = demoArithmetic
	f.StringVar(&o.dataset, "dataset", "", "training rows: JSON lines with prompt and reference (- is standard input)")
	f.StringVar(&o.eval, "eval", "", "held-out rows: JSON lines with prompt and reference")
	f.StringVar(&o.warmup, "warmup", "", "demonstrations for SFT first: JSON lines with prompt and completion")
	f.StringVar(&o.model, "model", "", "model folder, checkpoint digest, or RUN@STEP")
	f.StringVar(&o.algorithm, "algorithm", "grpo", "grpo, dapo, gspo or dr_grpo")
	f.StringVar(&o.heldout, "heldout-verifier", "", "a stricter verdict for the recorder only")
	f.Uint64Var(&o.steps, "steps", 0, "optimizer steps of the RL stage")
	f.StringVar(&o.configFile, "config", "", "run configuration in YAML: a RunSpec (- is standard input)")
	f.StringArrayVar(&o.set, "set", nil, "set any field of the RunSpec, as hyper.max_steps=50")
	f.StringVar(&o.backend, "backend", "", "engine: auto, builtin, …")
	f.StringVar(&o.device, "device", "", "auto, cpu or cuda")
	f.BoolVar(&o.tainted, "allow-contaminated", false, "start although train and eval share rows; it is recorded")
}

// Job is a training job as the flags of another verb say it.
type Job struct{ o options }

// Flags adds its flags to a verb, which has --seed and the verifier by itself.
func (j *Job) Flags(f *pflag.FlagSet) { j.o.job(f) }

// Check finds wrong use before anything is started. The verifier is what pays; empty takes the job's own.
func (j *Job) Check(cmd *cobra.Command, a *app.App, verifier string, seed uint64) error {
	j.o.verifier, j.o.seed = verifier, seed
	if err := j.o.check(a); err != nil {
		return err
	}
	return j.o.plan(cmd, a)
}

// Spec uploads what the flags name and gives the spec. Where a demo is paid by another verifier than its pack's, the pack's looks
// on: what a policy learns is not measured by what it was paid for.
func (j *Job) Spec(ctx context.Context, cmd *cobra.Command, a *app.App, s *app.Session) (*orchestratorv1.RunSpec, error) {
	return j.o.spec(ctx, cmd, a, s, true)
}

// spec is the job: the demo's, then the file's, then the flags'.
func (o *options) spec(ctx context.Context, cmd *cobra.Command, a *app.App, s *app.Session, keepJudge bool) (*orchestratorv1.RunSpec, error) {
	spec := &orchestratorv1.RunSpec{}
	if o.demo != "" {
		a.Note("making %s problems from seed %d", o.demo, o.seed)
		var err error
		if spec, err = o.demoSpec(ctx, s); err != nil {
			return nil, err
		}
		if keepJudge && o.verifier != "" && spec.GetHeldoutVerifier() == nil {
			spec.HeldoutVerifier = spec.GetVerifier()
		}
	}
	if err := o.file.Merge(spec); err != nil {
		return nil, err
	}
	if err := o.fill(ctx, a, s, spec); err != nil {
		return nil, err
	}
	return spec, o.apply(cmd, spec)
}
