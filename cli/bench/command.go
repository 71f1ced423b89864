// Package bench is `provenir bench`: our paths beside the raw ceilings of this machine, in one run.
package bench

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var trials int
	var names []string
	for n := range suites() {
		names = append(names, n)
	}
	slices.Sort(names)
	cmd := &cobra.Command{
		Use: "bench WHAT", Short: "Measure a path beside the raw ceiling: " + strings.Join(names, ", "), Args: cobra.ExactArgs(1),
		Example: "  provenir bench pump\n  provenir bench pump --trials 5 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, ok := suites()[args[0]]
			if !ok {
				return app.Usage(fmt.Errorf("bench %s: there are %s", args[0], strings.Join(names, ", ")))
			}
			dir, err := os.MkdirTemp(".", ".provenir-bench-") // on the disk that a run would use
			if err != nil {
				return err
			}
			found, err := f(cmd.Context(), dir, trials)
			if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
				return err
			}
			return report(a, found)
		},
	}
	cmd.Flags().IntVar(&trials, "trials", 3, "trials of each row; the median is printed")
	return cmd
}

func report(a *app.App, f figures) error {
	for _, r := range f.rows {
		if a.JSON {
			if err := a.PrintJSON(r); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-36s %10.0f %s", r.What, r.Ours, r.Unit)
		if ratio, ok := r.Ratio(); ok {
			line += fmt.Sprintf("   %3.0f %% of %s (%.0f)", 100*ratio, r.Of, r.Ceiling)
		}
		if r.CPU > 0 {
			line += fmt.Sprintf("   %.1f µs CPU each", r.CPU)
		}
		a.Print("%s", line)
	}
	for _, l := range f.times {
		if a.JSON {
			if err := a.PrintJSON(l); err != nil {
				return err
			}
			continue
		}
		a.Print("%s, n=%d: p50 %s, p99 %s, max %s", l.What, l.N, l.P50, l.P99, l.Max)
	}
	for _, h := range f.heaps {
		if a.JSON {
			if err := a.PrintJSON(h); err != nil {
				return err
			}
			continue
		}
		a.Print("%s: %.1f MB at the end, second half %+.1f %% against the first", h.What, float64(h.Bytes[len(h.Bytes)-1])/1e6, 100*h.Growth)
	}
	return nil
}
