package passport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
)

// fetched are a passport's files, by the name of a run as a person gives it.
func fetched(ctx context.Context, a *app.App, name string) (got *governancev1.GetPassportResponse, err error) {
	s, uid, err := a.ConnectRun(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return governancev1.NewGovernanceServiceClient(s.Conn).GetPassport(ctx, &governancev1.GetPassportRequest{Passport: uid})
}

func export(a *app.App) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export RUN --out FOLDER", Short: "Write a run's passport, BOM and public keys into a folder",
		Long: "The folder verifies on any machine: provenir passport verify FOLDER --key FOLDER/keys/signer.pem. The model's own files are\n" +
			"not in it; give them with --model where the passport is of a model.",
		Example: "  provenir passport export @last --out passport/\n  provenir passport export 06e8k --out passport/ --server localhost:9090",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return app.Usage(errors.New("--out: name the folder"))
			}
			if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
				return app.Usage(fmt.Errorf("--out %s: it is there already, or cannot be looked at; name a new folder", out))
			}
			got, err := fetched(cmd.Context(), a, args[0])
			if err != nil {
				return err
			}
			if err := unpack(got.GetFiles(), out); err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got.GetPassport())
			}
			a.Print("%s  %d files", out, len(got.GetFiles()))
			a.Note("check it: %s passport verify %s --key %s", app.Command(), out, filepath.Join(out, "keys", "signer.pem"))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder to make")
	return cmd
}

// unpack writes the files beside the folder and puts it in place when all are there. A name that leaves it is refused: they
// come from a server.
func unpack(files []*governancev1.PassportFile, out string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(out)), ".passport-")
	if err != nil {
		return app.Usage(err)
	}
	defer os.RemoveAll(tmp) // what is left of it when something fails
	for _, f := range files {
		name := filepath.FromSlash(f.GetName())
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the server names a file %q, which leaves the folder", f.GetName())
		}
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.GetContent(), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(os.Chmod(tmp, 0o755), os.Rename(tmp, out))
}

// NewBOMCommand is `provenir bom`.
func NewBOMCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "bom RUN", Short: "Print the bill of materials that a run's passport is over",
		Example: "  provenir bom @last\n  provenir bom 06e8k --server localhost:9090 > bom.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			got, err := fetched(cmd.Context(), a, args[0])
			if err != nil {
				return err
			}
			for _, f := range got.GetFiles() {
				if f.GetName() == "bom.json" {
					_, err := a.Out.Write(append(f.GetContent(), '\n'))
					return err
				}
			}
			return app.Unchecked(errors.New("the passport has no bom.json"))
		},
	}
}
