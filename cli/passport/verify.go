package passport

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	pass "github.com/provenir/provenir/passport"
)

const bundleName = "passport.intoto.sigstore.json"

func verify(a *app.App) *cobra.Command {
	var keys, logKeys []string
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
			for _, k := range logKeys {
				b, err := os.ReadFile(k)
				if err != nil {
					return app.Usage(err)
				}
				in.LogKeys = append(in.LogKeys, strings.TrimSpace(string(b)))
			}
			return report(a, pass.Verify(in))
		},
	}
	cmd.Flags().StringArrayVar(&keys, "key", nil, "trusted public key, PEM (may be given again)")
	cmd.Flags().StringArrayVar(&logKeys, "log-vkey", nil, "file with the recorder's public key: checks the ledger's checkpoints too")
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

// about says of what the passport is.
func about(s *pass.Statement) string {
	p := s.Predicate
	if !s.Tracked() {
		return fmt.Sprintf("model %s of run %s, which %s", p.ModelID, p.RunID, p.RunState)
	}
	out := fmt.Sprintf("run %s, recorded by a tracker, which %s", p.RunID, p.RunState)
	if p.Partial {
		out += "; it is partial: not all of it was made, or not all of it was recorded"
	}
	return out
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
		a.Print("\n%s", about(s))
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
