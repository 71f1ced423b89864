package passport

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	pass "github.com/provenir/provenir/passport"
)

func show(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "show FOLDER", Short: "Print what a passport claims; it says nothing of whether that holds",
		Example: "  provenir passport show ./passports/06e8k\n  provenir passport show passport.json --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, "passport.json")
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return app.Usage(err)
			}
			s, err := pass.DecodeStatement(b)
			if err != nil {
				return app.Usage(err)
			}
			if a.JSON {
				_, err := a.Out.Write(append(b, '\n'))
				return err
			}
			pretty, err := json.MarshalIndent(s, "", "  ")
			if err != nil {
				return err
			}
			a.Print("%s", pretty)
			a.Note("not verified; use: provenir passport verify")
			return nil
		},
	}
}
