// Package passport is `provenir passport verify|show|list|issue|export` and `provenir bom`: verify and show work offline, with public keys only.
package passport

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "passport", Short: "Verify and read model passports", Args: cobra.NoArgs}
	cmd.AddCommand(verify(a), show(a), list(a), issue(a), export(a))
	return cmd
}
