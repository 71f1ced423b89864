// Package envverb is `provenir env`: list, serve, validate and play agentic environments.
package envverb

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// NewCommand is the noun with its verbs.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "env", Short: "Play, serve and validate agentic environments", Args: cobra.NoArgs}
	cmd.AddCommand(listCommand(a), serveCommand(a), validateCommand(a), playCommand(a))
	return cmd
}
