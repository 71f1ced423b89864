// Package config is `provenir config check`.
package config

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/runspec"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	conf "github.com/provenir/provenir/internal/config"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look into configuration", Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{
		Use: "check [FILE]", Short: "Check a run configuration, or print the mesh's settings with their origin", Args: cobra.MaximumNArgs(1),
		Long: "With FILE (- is standard input): reads it as a RunSpec and prints what it means. Without: prints every setting of the mesh with where its\n" +
			"value comes from.",
		Example: "  provenir config check run.yaml\n  PROVENIR_LOG_LEVEL=info provenir config check --json",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return run(a, args[0])
			}
			return settings(a)
		},
	})
	return cmd
}

func settings(a *app.App) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	if a.JSON {
		out := map[string]any{}
		for _, k := range conf.Keys() {
			out[k.Name] = map[string]string{"value": s[k.Name].Text, "origin": s[k.Name].Origin}
		}
		return a.PrintJSON(out)
	}
	for _, k := range conf.Keys() {
		a.Print("%-30s %-20q %-28s # %s", k.Name, s[k.Name].Text, s[k.Name].Origin, k.Doc)
	}
	return nil
}

func run(a *app.App, path string) error {
	file, err := runspec.Open(a, path)
	if err != nil {
		return err
	}
	spec := &orchestratorv1.RunSpec{}
	if err := file.Merge(spec); err != nil {
		return err
	}
	if err := runspec.Check(spec, file, nil); err != nil {
		return err
	}
	if proto.Size(spec) == 0 {
		return app.Usage(errors.New(path + ": is empty"))
	}
	if spec.GetAlgorithm() == 0 {
		return app.Usage(fmt.Errorf("%s: algorithm: want one of sft, grpo, dapo, gspo, dr_grpo", path))
	}
	if a.JSON {
		return a.PrintJSON(spec)
	}
	text, err := protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Marshal(spec)
	if err != nil {
		return err
	}
	a.Print("%s", text)
	return nil
}
