// Package passport is `provenir passport verify|show`: it works offline, with public keys only.
package passport

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/mesh"
	pass "github.com/provenir/provenir/passport"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "passport", Short: "Verify and read model passports", Args: cobra.NoArgs}
	cmd.AddCommand(verify(a), show(a), list(a))
	return cmd
}

const bundleName = "passport.intoto.sigstore.json"

func verify(a *app.App) *cobra.Command {
	var keys []string
	var model string
	cmd := &cobra.Command{
		Use: "verify FOLDER|BUNDLE --key PEM", Short: "Check a passport offline",
		Long: "Checks signature, form and issuance, then every file of the model and the BOM against the signed digests.\n" +
			"Needs no mesh, no network and no secret. Without a trusted key nothing holds: exit 3.",
		Example: "  provenir passport verify ./passports/06e8k --key signer.pem\n  provenir passport verify passport.intoto.sigstore.json --key signer.pem --model ./model --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := read(args[0], model)
			if err != nil {
				return app.Usage(err)
			}
			for _, k := range keys {
				key, err := readKey(k)
				if err != nil {
					return app.Usage(err)
				}
				in.Keys = append(in.Keys, key)
			}
			return report(a, pass.Verify(in))
		},
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "trusted public key, PEM (may be given again)")
	cmd.Flags().StringVar(&model, "model", "", "model folder (default: model/ beside the bundle)")
	return cmd
}

// read takes a folder as governance makes it, or a bundle by itself. What is not there stays unchecked.
func read(path, model string) (pass.Input, error) {
	dir, bundle := filepath.Dir(path), path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir, bundle = path, filepath.Join(path, bundleName)
	}
	var in pass.Input
	var err error
	if in.Bundle, err = os.ReadFile(bundle); err != nil {
		return in, err
	}
	if model == "" {
		if info, err := os.Stat(filepath.Join(dir, "model")); err == nil && info.IsDir() {
			model = filepath.Join(dir, "model")
		}
	} else if info, err := os.Stat(model); err != nil || !info.IsDir() {
		return in, fmt.Errorf("--model %s: is no folder", model)
	}
	if model != "" {
		in.Model = os.DirFS(model)
	}
	bom, err := os.ReadFile(filepath.Join(dir, "bom.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return in, err
	}
	in.BOM = bom
	return in, nil
}

func readKey(path string) (*ecdsa.PublicKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k, err := pass.ParsePublicKey(b)
	if err != nil {
		return nil, fmt.Errorf("--key %s: %w", path, err)
	}
	return k, nil
}

func report(a *app.App, r pass.Result) error {
	if a.JSON {
		if err := a.PrintJSON(r); err != nil {
			return err
		}
	}
	for _, c := range r.Checks {
		a.Print("%-10s %-14s %s", c.State, c.Name, c.Detail)
	}
	if s := r.Statement; s != nil {
		a.Print("\nmodel %s of run %s, which %s", s.Predicate.ModelID, s.Predicate.RunID, s.Predicate.RunState)
		for _, f := range s.Predicate.RiskClaims {
			if f.State == "raised" {
				a.Print("  flag raised: %s", f.Name)
			}
		}
	}
	switch r.Overall {
	case pass.Holds:
		a.Print("the passport holds")
		return nil
	case pass.Fails:
		return app.Fails(errors.New("the passport does not hold"))
	default:
		return app.Unchecked(errors.New("the passport could not be checked completely"))
	}
}

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

func list(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the passports of a mesh", Args: cobra.NoArgs,
		Example: "  provenir passport list\n  provenir passport list --server localhost:9090 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return each(cmd.Context(), a, func(p *governancev1.Passport) error {
				if a.JSON {
					return a.PrintJSON(p)
				}
				a.Print("%s  run %s  %s  %s", p.GetDigest(), p.GetRunId(), p.GetModelName(), p.GetFolder())
				return nil
			})
		},
	}
}

func each(ctx context.Context, a *app.App, f func(*governancev1.Passport) error) error {
	s, err := a.Connect(ctx, mesh.Roles()...)
	if err != nil {
		return err
	}
	defer s.Close()
	c := governancev1.NewGovernanceServiceClient(s.Conn)
	req := &governancev1.ListPassportsRequest{}
	for {
		page, err := c.ListPassports(ctx, req)
		if err != nil {
			return err
		}
		for _, p := range page.GetPassports() {
			if err := f(p); err != nil {
				return err
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return nil
		}
	}
}
