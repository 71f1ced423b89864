// Package recorderverb is `provenir recorder`: what the recorder does with files.
package recorderverb

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "recorder", Short: "Judge the logs of training engines"}
	cmd.AddCommand(newAnalyze(a))
	return cmd
}
