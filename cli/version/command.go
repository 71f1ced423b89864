// Package version is `provenir version`.
package version

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// Info is what the binary knows of itself.
type Info struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Read reads the build information.
func Read() Info {
	out := Info{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	if b.Main.Version != "" && b.Main.Version != "(devel)" {
		out.Version = b.Main.Version
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			out.Revision = s.Value
		case "vcs.modified":
			out.Modified = s.Value == "true"
		}
	}
	return out
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Example: "  provenir version\n  provenir version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := Read()
			if a.JSON {
				return a.PrintJSON(v)
			}
			a.Print("provenir %s %s %s %s", v.Version, v.Revision, v.Go, v.Platform)
			return nil
		},
	}
}
