// Package ledger is `provenir ledger verify`: it needs a copy of the folder and the public key, and nothing else.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/internal/idgen"
	led "github.com/provenir/provenir/ledger"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Prove the log of a run", Args: cobra.NoArgs}
	cmd.AddCommand(verify(a), proof(a), payload(a), export(a), repair(a), erase(a), retain(a), hold(a), deeds(a), take(a))
	return cmd
}

type options struct {
	vkey      string
	known     string
	cosigners []string
	blobs     string
}

func verify(a *app.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "verify DIR|RUN [--vkey F]", Short: "Check every record of a run's logs",
		Long: "Reads the three logs of a run (or one of them), recomputes every hash, and names each damage: exit 1. Without a\n" +
			"trusted key signatures stay unchecked, and so do segments that lie only where they were shipped to: exit 3. What retention\n" +
			"took is named with its rule and is no damage.",
		Example: "  provenir ledger verify ./ledger/default/06e8k --vkey log.vkey\n  provenir ledger verify ./events --vkey log.vkey --checkpoint old-checkpoint --json",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args[0]) },
	}
	cmd.Flags().StringVar(&o.vkey, "vkey", "", "file with the recorder's public key")
	cmd.Flags().StringVar(&o.known, "checkpoint", "", "an older signed checkpoint that you kept; the log must continue it")
	cmd.Flags().StringVar(&o.blobs, "blobs", "", "folder of payloads that lie outside of the logs; of a run of the data folder it is known")
	cmd.Flags().StringArrayVar(&o.cosigners, "cosigner", nil, "file with a witness's public key")
	return cmd
}

func (o options) run(ctx context.Context, a *app.App, where string) error {
	dir, err := folder(a, where)
	if err != nil {
		return err
	}
	opt, err := o.trust()
	if err != nil {
		return app.Usage(err)
	}
	if o.blobs == "" {
		o.blobs = blobsBeside(dir)
	}
	if o.blobs != "" {
		if opt.Payload, err = payloads(o.blobs); err != nil {
			return err
		}
	}
	reports, err := o.reports(ctx, dir, opt)
	if err != nil {
		return err
	}
	for _, r := range reports {
		show(a, dir, r)
	}
	if a.JSON {
		if err := a.PrintJSON(map[string]any{"logs": reports}); err != nil {
			return err
		}
	}
	return judge(reports, len(o.vkey) > 0, o.cosigners)
}

// reports verifies a run's folder, whose seal the logs must continue, or the folder of one log.
func (o options) reports(ctx context.Context, dir string, opt led.VerifyOptions) ([]*led.Report, error) {
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		return nil, app.Usage(err)
	}
	marks, err := filepath.Glob(filepath.Join(dir, "*.away"))
	if err != nil {
		return nil, app.Usage(err)
	}
	retired, err := filepath.Glob(filepath.Join(dir, "*.retired"))
	if err != nil {
		return nil, app.Usage(err)
	}
	if len(segments)+len(marks)+len(retired) > 0 {
		r, err := led.Verify(ctx, os.DirFS(dir), opt)
		if err != nil {
			return nil, app.Unchecked(fmt.Errorf("%s: %w", dir, err))
		}
		return []*led.Report{r}, nil
	}
	reports, err := led.VerifyRun(ctx, os.DirFS(dir), opt)
	switch {
	case err != nil:
		return nil, app.Unchecked(fmt.Errorf("%s: %w", dir, err))
	case len(reports) == 0:
		return nil, app.Usage(fmt.Errorf("%s holds no log: want a folder with *.seg files, or with events/", dir))
	}
	return reports, nil
}

// blobsBeside is the blob folder of the data folder that a run lies in, as data/ledger/TENANT/RUN; empty for any other.
func blobsBeside(dir string) string {
	ledgers := filepath.Dir(filepath.Dir(filepath.Clean(dir)))
	blobs := filepath.Join(filepath.Dir(ledgers), "blobs")
	if info, err := os.Stat(blobs); err != nil || !info.IsDir() || filepath.Base(ledgers) != "ledger" {
		return ""
	}
	return blobs
}

// folder takes a path, or a run of the local data folder.
func folder(a *app.App, where string) (string, error) {
	if info, err := os.Stat(where); err == nil && info.IsDir() {
		return where, nil
	}
	s, err := a.Settings()
	if err != nil {
		return "", err
	}
	prefix := where
	if where == "@last" {
		prefix = ""
	}
	found, err := filepath.Glob(filepath.Join(s.Get("data"), "ledger", "*", prefix+"*"))
	if where == "@last" && len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(made(a), made(b)) }), nil
	}
	if err != nil || len(found) != 1 {
		return "", app.Usage(fmt.Errorf("%s is no folder, and fits %d runs of %s", where, len(found), s.Get("data")))
	}
	return found[0], nil
}

// made is when a run began: uids of tracked runs and of others are of two kinds, and only their times compare.
func made(dir string) uint64 {
	ms, _ := idgen.Time(filepath.Base(dir))
	return ms
}

func (o options) trust() (led.VerifyOptions, error) {
	var opt led.VerifyOptions
	keys := func(files []string, cosigner bool) (note.Verifiers, error) {
		var list []note.Verifier
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			var v note.Verifier
			if cosigner {
				v, err = led.ParseCosigner(strings.TrimSpace(string(b)))
			} else {
				v, err = note.NewVerifier(strings.TrimSpace(string(b)))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			list = append(list, v)
		}
		return note.VerifierList(list...), nil
	}
	var err error
	if o.vkey != "" {
		if opt.Keys, err = keys([]string{o.vkey}, false); err != nil {
			return opt, err
		}
	}
	if len(o.cosigners) > 0 {
		if opt.Cosigners, err = keys(o.cosigners, true); err != nil {
			return opt, err
		}
	}
	if o.known != "" {
		opt.Known, err = os.ReadFile(o.known)
	}
	return opt, err
}

func show(a *app.App, dir string, r *led.Report) {
	verdict := "holds"
	if !r.OK() {
		verdict = "DAMAGED"
	}
	a.Print("%-8s %-8v %9d records, %d covered by a checkpoint, signature %v", verdict, r.Log, r.Records, r.Covered, r.Signature)
	if r.OK() {
		a.Print("         root %x", r.Root[:])
	}
	if len(r.Cosigners) > 0 {
		a.Print("         cosigned by %s", strings.Join(r.Cosigners, ", "))
	}
	for _, d := range r.Damages {
		a.Print("  %s", d)
	}
	if r.DamagesOmitted > 0 {
		a.Print("  and %d more", r.DamagesOmitted)
	}
	for _, s := range r.Away {
		a.Print("  %s: not checked, it is not here: records %d to %d, SHA-256 before the trailer %x", led.SegmentName(s.Segment), s.FirstSeq, s.LastSeq, s.SHA256[:])
	}
	for _, s := range r.Retired {
		switch {
		case s.Declared:
			a.Print("  payloads of records %d to %d were retired by %s on %s: %s; their entries hold", s.FirstSeq, s.LastSeq, s.By, day(s.At), s.Rule)
		case r.OK(): // else a damage names it
			a.Print("  payloads of records %d to %d are gone; the log findings, which must say by what rule, was not looked at", s.FirstSeq, s.LastSeq)
		}
	}
	if r.BlobsUnchecked > 0 {
		a.Print("  %d payloads lie outside of the log and were not checked: their entries hold", r.BlobsUnchecked)
	}
	if r.EncryptedUnchecked > 0 {
		a.Print("  %d payloads are encrypted: their entries hold, that the stored bytes are theirs was not checked", r.EncryptedUnchecked)
	}
	if r.TornTail > 0 {
		a.Print("  %d bytes at the end of %s are a write that a crash cut off; nothing acknowledged is in them", r.TornTail, dir)
	}
}

func judge(reports []*led.Report, trusted bool, cosigners []string) error {
	for _, r := range reports {
		if !r.OK() {
			return app.Fails(errors.New("the ledger does not hold"))
		}
	}
	for _, r := range reports {
		// Findings and timing go on after the seal, so their newest checkpoint may be one that no witness has seen yet.
		if len(cosigners) > 0 && len(r.Cosigners) == 0 && (len(reports) == 1 || r.Log == led.Events) {
			return app.Fails(fmt.Errorf("the log %s has no cosignature of the witnesses that you named", r.Log))
		}
	}
	if n := away(reports); n > 0 {
		return app.Unchecked(fmt.Errorf("no damage found; %d segments were not checked: they are not here. Copy them from where they were shipped to into the folder, under the same names", n))
	}
	if n := undeclared(reports); n > 0 {
		return app.Unchecked(fmt.Errorf("no damage found; the payloads of %d segments are gone, and whether a rule took them stands in the log findings: verify the folder of the whole run", n))
	}
	if n := blobs(reports); n > 0 {
		return app.Unchecked(fmt.Errorf("no damage found; %d payloads that lie outside of the log were not checked: give --blobs, the folder they lie in", n))
	}
	if n := encrypted(reports); n > 0 {
		return app.Unchecked(fmt.Errorf("no damage found; %d encrypted payloads were not compared with their digests: the recorder that has the keys can, where they are not erased", n))
	}
	if !trusted {
		return app.Unchecked(errors.New("no damage found; signature unchecked: give --vkey"))
	}
	return nil
}

func away(reports []*led.Report) (n int) {
	for _, r := range reports {
		n += len(r.Away)
	}
	return n
}

// undeclared are segments without payloads whose rule was not looked up.
func undeclared(reports []*led.Report) (n int) {
	for _, r := range reports {
		for _, s := range r.Retired {
			if !s.Declared {
				n++
			}
		}
	}
	return n
}

func blobs(reports []*led.Report) (n uint64) {
	for _, r := range reports {
		n += r.BlobsUnchecked
	}
	return n
}

func encrypted(reports []*led.Report) (n uint64) {
	for _, r := range reports {
		n += r.EncryptedUnchecked
	}
	return n
}
