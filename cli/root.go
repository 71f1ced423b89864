// Package cli is the command line: nouns and verbs, each in a folder of its own, each a client of the API.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/alerts"
	"github.com/provenir/provenir/cli/anomalies"
	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/backends"
	"github.com/provenir/provenir/cli/bench"
	"github.com/provenir/provenir/cli/config"
	"github.com/provenir/provenir/cli/diagnose"
	"github.com/provenir/provenir/cli/doctor"
	"github.com/provenir/provenir/cli/envverb"
	"github.com/provenir/provenir/cli/hacking"
	"github.com/provenir/provenir/cli/harden"
	"github.com/provenir/provenir/cli/ledger"
	"github.com/provenir/provenir/cli/mathexplain"
	"github.com/provenir/provenir/cli/passport"
	"github.com/provenir/provenir/cli/recorderverb"
	"github.com/provenir/provenir/cli/report"
	"github.com/provenir/provenir/cli/rl"
	"github.com/provenir/provenir/cli/run"
	"github.com/provenir/provenir/cli/sandboxcheck"
	"github.com/provenir/provenir/cli/slices"
	"github.com/provenir/provenir/cli/timcheck"
	"github.com/provenir/provenir/cli/toolcallparse"
	"github.com/provenir/provenir/cli/up"
	"github.com/provenir/provenir/cli/verify"
	"github.com/provenir/provenir/cli/version"
	"github.com/provenir/provenir/internal/enginelog"
	"github.com/provenir/provenir/internal/protoyaml"
	"github.com/provenir/provenir/mesh"
)

// Main runs the command and gives its exit code.
func Main(args []string) int {
	mesh.Init()
	enginelog.Init()
	a := app.New()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupts
		stop() // the verb finishes what it must and says how to go on
		<-interrupts
		os.Exit(app.CodeInterrupted)
	}()
	root := NewCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.Err, "provenir: "+app.Message(err))
	}
	return app.Code(err)
}

// NewCommand is the tree of verbs.
func NewCommand(a *app.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "provenir",
		Short: "The trust layer for LLM post-training",
		Long: "Provenir records every step of a training run in a ledger that proves itself, scores rollouts with rewards that\n" +
			"can't be gamed, watches for collapse while the run is alive, and seals the result in a passport that anybody can verify.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return app.Usage(err) })
	a.Bind(root)
	root.AddCommand(
		rl.NewCommand(a), up.NewCommand(a), up.NewServeCommand(a), run.NewCommand(a), report.NewCommand(a), verify.NewCommand(a), mathexplain.NewCommand(a), toolcallparse.NewCommand(a), sandboxcheck.NewCommand(a), envverb.NewCommand(a), harden.NewReliabilityCommand(a), harden.NewValidityCommand(a),
		ledger.NewCommand(a), passport.NewCommand(a), passport.NewBOMCommand(a), anomalies.NewCommand(a), alerts.NewCommand(a), hacking.NewCommand(a), slices.NewCommand(a), timcheck.NewCommand(a), diagnose.NewCommand(a), recorderverb.NewCommand(a), backends.NewCommand(a), bench.NewCommand(a),
		config.NewCommand(a), doctor.NewCommand(a), version.NewCommand(a),
	)
	for _, noun := range root.Commands() {
		if !noun.Runnable() {
			strict(a, noun)
		}
	}
	return root
}

// strict makes a noun refuse what is no verb of it. Cobra would print the help and exit with 0: a script with a slip in it
// would go on.
func strict(a *app.App, noun *cobra.Command) {
	noun.Args = cobra.ArbitraryArgs
	noun.RunE = func(cmd *cobra.Command, args []string) error {
		var verbs []string
		for _, c := range cmd.Commands() {
			verbs = append(verbs, c.Name())
		}
		if len(args) == 0 && !a.JSON {
			return cmd.Help()
		}
		word, slip := "it needs a verb", ""
		if len(args) > 0 {
			word, slip = strconv.Quote(args[0])+" is no verb of it", protoyaml.DidYouMean(args[0], verbs)
		}
		return app.Usage(fmt.Errorf("%s: %s%s; verbs: %s", cmd.CommandPath(), word, slip, strings.Join(verbs, ", ")))
	}
}
