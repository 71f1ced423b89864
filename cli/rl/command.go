// Package rl is `provenir rl`: verifiable-reward RL, the main job.
package rl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/runspec"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/mesh"
)

// options are the verb's flags.
type options struct {
	demo       string
	inject     string
	injectAt   uint64
	dataset    string
	eval       string
	warmup     string
	model      string
	algorithm  string
	verifier   string
	heldout    string
	seed       uint64
	steps      uint64
	configFile string
	file       *runspec.Source
	set        []string
	name       string
	detach     bool
	backend    string
	device     string
	tainted    bool
	privacy    string
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "rl",
		Short: "Train a policy with verifiable rewards",
		Long: "Samples rollouts, verifies them, records both, and only then pays the reward; evaluates on held-out rows, watches\n" +
			"for collapse, and ends with a sealed passport.\n\n" +
			"--demo makes its own problems and a small policy: arithmetic, --demo=json (an object that a schema must accept),\n" +
			"--demo=code (a function that tests in the sandbox must accept) or --demo=tools (a tool call that must match). --demo=hack pays with a verifier that has a hole, while a\n" +
			"strict one looks on: the policy finds the hole, the incident opens, the gate stops the run. Otherwise give JSON lines with\n" +
			"prompt and reference, and a model: a Hugging Face folder, a checkpoint digest, or RUN@STEP.",
		Example: "  provenir rl --demo\n" +
			"  provenir rl --demo=code --seed 7\n" +
			"  provenir rl --dataset train.jsonl --eval heldout.jsonl --model ./my-llama --algorithm grpo --verifier math",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, a) },
	}
	f := cmd.Flags()
	o.job(f)
	f.StringVar(&o.inject, "inject", "", "with --demo: misbehave on purpose: kl_blowup, nan or stall")
	f.Uint64Var(&o.injectAt, "inject-at", 30, "step of the RL stage at which it begins")
	f.StringVar(&o.verifier, "verifier", "", "what pays: name, name:option=value (option=@FILE reads a file), or a YAML file (default math)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything")
	f.StringVar(&o.name, "name", "", "display name")
	f.BoolVar(&o.detach, "detach", false, "with --server: start the run and return")
	f.StringVar(&o.privacy, "privacy", "", "plain, or salted: payloads of the ledger are encrypted and can be erased (docs/ledger.md)")
	a.Setting(cmd, "threads", "engine.threads", "threads of the built-in engine (default 2)")
	return cmd
}

func (o *options) run(cmd *cobra.Command, a *app.App) error {
	if err := o.check(a); err != nil {
		return err
	}
	if err := o.plan(cmd, a); err != nil {
		return err
	}
	s, err := a.Connect(cmd.Context(), mesh.Roles()...)
	if err != nil {
		return err
	}
	err = o.drive(cmd, a, s)
	return errors.Join(err, s.Close())
}

// check finds wrong use before anything is started.
func (o *options) check(a *app.App) error {
	usage := func(format string, args ...any) error { return app.Usage(fmt.Errorf(format, args...)) }
	switch {
	case o.demo == "" && o.dataset == "" && o.configFile == "":
		return usage("give --demo, --dataset FILE, or --config FILE")
	case o.demo != "" && o.dataset != "":
		return usage("--demo makes its own dataset; leave --dataset out")
	case o.inject != "" && o.demo == "":
		return usage("--inject needs --demo")
	case o.demo == "" && o.configFile == "" && o.model == "":
		return usage("--model: name a model folder, a checkpoint digest, or RUN@STEP")
	case o.detach && a.ServerAddress() == "":
		return usage("--detach needs --server: a mesh in this process would end with it")
	}
	if _, known := demos()[o.demo]; o.demo != "" && !known {
		return usage("--demo=%s: want arithmetic, json, code, tools or hack", o.demo)
	}
	if o.inject != "" && !strings.Contains(" kl_blowup nan stall ", " "+o.inject+" ") {
		return usage("--inject %s: want kl_blowup, nan or stall", o.inject)
	}
	return nil
}

// plan reads the file and tries the flags on it, so that a slip is told at once and not after uploads.
func (o *options) plan(cmd *cobra.Command, a *app.App) error {
	spec := &orchestratorv1.RunSpec{}
	if o.configFile != "" {
		var err error
		if o.file, err = runspec.Open(a, o.configFile); err != nil {
			return err
		}
		if err := o.file.Merge(spec); err != nil {
			return err
		}
	}
	if err := o.apply(cmd, spec); err != nil {
		return err
	}
	if err := o.verifiers(spec); err != nil {
		return err
	}
	return runspec.Check(spec, o.file, o.set)
}

// apply puts flags over the spec: file first, then flags, then --set.
func (o *options) apply(cmd *cobra.Command, spec *orchestratorv1.RunSpec) error {
	changed := func(name string) bool { return cmd.Flags().Changed(name) }
	if changed("algorithm") || spec.GetAlgorithm() == 0 {
		v, ok := trainerv1.Algorithm_value["ALGORITHM_"+strings.ToUpper(o.algorithm)]
		if !ok || v == 0 {
			return app.Usage(fmt.Errorf("--algorithm %s: want grpo, dapo, gspo or dr_grpo", o.algorithm))
		}
		spec.Algorithm = trainerv1.Algorithm(v)
	}
	if changed("seed") || spec.GetSeed() == 0 {
		spec.Seed = o.seed
	}
	if spec.Hyper == nil {
		spec.Hyper = &orchestratorv1.Hyper{MaxSteps: 100}
	}
	if o.steps > 0 {
		spec.Hyper.MaxSteps = o.steps
	}
	if spec.Engine == nil {
		spec.Engine = &orchestratorv1.EngineSpec{}
	}
	if o.backend != "" {
		spec.Engine.Backend = o.backend
	}
	if o.device != "" {
		spec.Engine.Device = o.device
	}
	if o.inject != "" {
		spec.Engine.Inject = &trainerv1.Injection{Kind: o.inject, AtStep: o.injectAt}
	}
	if o.name != "" {
		spec.DisplayName = o.name
	}
	if o.tainted {
		if spec.Limits == nil {
			spec.Limits = &orchestratorv1.Limits{}
		}
		spec.Limits.AllowContaminated = true
	}
	if o.privacy != "" {
		if err := runspec.Set(spec, "recorder.privacy="+o.privacy); err != nil {
			return err
		}
	}
	for _, kv := range o.set {
		if err := runspec.Set(spec, kv); err != nil {
			return err
		}
	}
	return nil
}
