// Package bench is `provenir bench`: our paths beside the raw ceilings of this machine, in one run.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/mesh/measure"
)

// suites are what can be measured.
var suites = map[string]func(ctx context.Context, dir string, trials int) ([]measure.Row, error){
	"pump": pump,
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var trials int
	var names []string
	for n := range suites {
		names = append(names, n)
	}
	cmd := &cobra.Command{
		Use: "bench WHAT", Short: "Measure a path beside the raw ceiling: " + strings.Join(names, ", "), Args: cobra.ExactArgs(1),
		Example: "  provenir bench pump\n  provenir bench pump --trials 5 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, ok := suites[args[0]]
			if !ok {
				return app.Usage(fmt.Errorf("bench %s: there are %s", args[0], strings.Join(names, ", ")))
			}
			dir, err := os.MkdirTemp(".", ".provenir-bench-") // on the disk that a run would use
			if err != nil {
				return err
			}
			rows, err := f(cmd.Context(), dir, trials)
			if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
				return err
			}
			return report(a, rows)
		},
	}
	cmd.Flags().IntVar(&trials, "trials", 3, "trials of each row; the median is printed")
	return cmd
}

func report(a *app.App, rows []measure.Row) error {
	for _, r := range rows {
		if a.JSON {
			if err := a.PrintJSON(r); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-32s %10.0f %s", r.What, r.Ours, r.Unit)
		if ratio, ok := r.Ratio(); ok {
			line += fmt.Sprintf("   %3.0f %% of %s (%.0f)", 100*ratio, r.Of, r.Ceiling)
		}
		if r.CPU > 0 {
			line += fmt.Sprintf("   %.1f µs CPU each", r.CPU)
		}
		a.Print("%s", line)
	}
	return nil
}

func pump(ctx context.Context, dir string, trials int) ([]measure.Row, error) {
	var out []measure.Row
	for _, c := range []measure.PumpConfig{
		{Size: 1 << 10, Round: 256, Rollouts: 1 << 17, Trials: trials}, {Size: 16 << 10, Round: 256, Rollouts: 1 << 14, Trials: trials},
		{Size: 1 << 10, Round: 64, Rollouts: 1 << 16, Trials: trials},
	} {
		r, err := measure.Pump(ctx, dir, c)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}
