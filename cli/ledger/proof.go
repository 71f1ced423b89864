package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	led "github.com/provenir/provenir/ledger"
)

// proved is a proof that one record is in a log: with the recorder's public key it can be checked anywhere, without the
// log.
type proved struct {
	Seq        uint64   `json:"seq"`
	Entry      string   `json:"entry"` // hex: number, type, length and digest of the record
	Leaf       string   `json:"leaf"`
	Hashes     []string `json:"hashes"` // from the leaf to the root
	Checkpoint string   `json:"checkpoint"`
}

type proofOptions struct {
	log   string
	size  uint64
	check string
	vkey  string
}

func proof(a *app.App) *cobra.Command {
	var o proofOptions
	cmd := &cobra.Command{
		Use: "proof RUN SEQ | proof --check FILE", Short: "Prove that one record is in a run's log, or check such a proof",
		Long: "Prints the record's entry, the hashes that lead from it to the root, and the signed checkpoint. Whoever has the\n" +
			"recorder's public key checks it with --check, without the log and without a server.",
		Example: "  provenir ledger proof @last 17 > proof.json\n  provenir ledger proof --check proof.json --vkey log.vkey",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.check != "" && len(args) == 0:
				return o.verify(a)
			case o.check == "" && len(args) == 2:
				return o.make(cmd.Context(), a, args[0], args[1])
			}
			return app.Usage(errors.New("give a run and the number of a record, or --check FILE"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.log, "log", "events", "events, findings or timing")
	f.Uint64Var(&o.size, "size", 0, "size of the log to prove against; the newest checkpoint without it")
	f.StringVar(&o.check, "check", "", "a proof to check (- is standard input)")
	f.StringVar(&o.vkey, "vkey", "", "file with the recorder's public key")
	return cmd
}

func (o proofOptions) make(ctx context.Context, a *app.App, run, number string) error {
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return app.Usage(fmt.Errorf("%q is no number of a record", number))
	}
	kind, err := led.ParseLog(o.log)
	if err != nil {
		return app.Usage(err)
	}
	s, uid, err := a.ConnectRun(ctx, run)
	if err != nil {
		return err
	}
	defer s.Close()
	got, err := recorderv1.NewRecorderServiceClient(s.Conn).GetInclusionProof(ctx,
		&recorderv1.GetInclusionProofRequest{Run: uid, Log: recorderv1.Log(kind), Seq: seq, Size: o.size})
	if err != nil {
		return err
	}
	entry, err := led.ParseEntry(got.GetEntry())
	if err != nil {
		return err
	}
	leaf := entry.Leaf()
	out := proved{Seq: seq, Entry: hex.EncodeToString(got.GetEntry()), Leaf: hex.EncodeToString(leaf[:]), Hashes: []string{}, Checkpoint: got.GetCheckpoint().GetNote()}
	for _, h := range got.GetHashes() {
		out.Hashes = append(out.Hashes, hex.EncodeToString(h))
	}
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// verify checks a proof: exit 1 where it does not hold, 3 where no key says who signed.
func (o proofOptions) verify(a *app.App) error {
	in, err := a.Open(o.check)
	if err != nil {
		return err
	}
	defer in.Close()
	var p proved
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return app.Usage(fmt.Errorf("%s is no proof: %w", o.check, err))
	}
	entry, hashes, c, err := p.parts()
	if err != nil {
		return app.Usage(fmt.Errorf("%s: %w", o.check, err))
	}
	if entry.Seq != p.Seq {
		return app.Fails(fmt.Errorf("the entry is of record %d, the proof says %d", entry.Seq, p.Seq))
	}
	if err := led.CheckInclusion(hashes, c.Size, c.Root, p.Seq, entry.Leaf()); err != nil {
		return app.Fails(fmt.Errorf("record %d is not in the log of the checkpoint: %w", p.Seq, err))
	}
	if o.vkey == "" {
		return app.Unchecked(errors.New("the record is in the log of the checkpoint; signature unchecked: give --vkey"))
	}
	key, err := os.ReadFile(o.vkey)
	if err != nil {
		return app.Usage(err)
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return app.Usage(fmt.Errorf("%s: %w", o.vkey, err))
	}
	if _, _, err := led.OpenCheckpoint([]byte(p.Checkpoint), c.Origin, note.VerifierList(v)); err != nil {
		return app.Fails(fmt.Errorf("the checkpoint is not signed by that key: %w", err))
	}
	if a.JSON {
		return a.PrintJSON(map[string]any{"holds": true, "seq": p.Seq, "origin": c.Origin, "size": c.Size, "root": hex.EncodeToString(c.Root[:])})
	}
	a.Print("record %d (%s, digest %s) is in %s at size %d", p.Seq, entry.Type, hex.EncodeToString(entry.Digest[:]), c.Origin, c.Size)
	return nil
}

func (p proved) parts() (entry led.Entry, hashes []led.Hash, c led.Checkpoint, err error) {
	raw, err := hex.DecodeString(p.Entry)
	if err == nil {
		entry, err = led.ParseEntry(raw)
	}
	if err != nil {
		return entry, nil, c, fmt.Errorf("the entry: %w", err)
	}
	for i, text := range p.Hashes {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(led.Hash{}) {
			return entry, nil, c, fmt.Errorf("hash %d is no SHA-256 in hex", i)
		}
		hashes = append(hashes, led.Hash(b))
	}
	c, err = led.ReadCheckpoint([]byte(p.Checkpoint))
	return entry, hashes, c, err
}
