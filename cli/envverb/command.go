// Package envverb is `provenir env`: list, serve, validate and play agentic environments.
package envverb

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// NewCommand is the noun with its verbs.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "env", Short: "Play, serve and validate agentic environments", Args: cobra.NoArgs}
	for _, sub := range []*cobra.Command{listCommand(a), serveCommand(a), validateCommand(a), playCommand(a)} {
		a.Setting(sub, "environments", "verifier.environments", "folders of environments in Starlark or Python, separated by commas")
		cmd.AddCommand(sub)
	}
	return cmd
}
