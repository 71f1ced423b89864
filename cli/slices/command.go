// Package slices is `provenir slices`: which parts of the data fail more, or less, often than the rest.
package slices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/mesh"
)

type options struct {
	in        string
	by        []string
	support   uint32
	fdr       float64
	top       int
	keepGoing bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "slices", Short: "Find parts of the data that fail more often than the rest", Args: cobra.NoArgs,
		Long: "Reads rows {passed, slices: {dimension: value}, length}, or takes columns as dimensions with --by; source and difficulty\n" +
			"are dimensions where they are there, and a response without a length has its characters for one. A row whose passed\n" +
			"is missing or null is unscored and counts for neither side. Each value, each pair of two dimensions and each bucket\n" +
			"of length is held against all other scored rows: rate with its 95 % interval (Wilson), Fisher's exact test, and at most\n" +
			"--fdr of those that are called significant are so by chance (Benjamini and Hochberg). Below --min-support a slice is\n" +
			"thin: nothing is said of it.",
		Example: "  provenir slices --in verdicts.jsonl --by source,difficulty\n  provenir slices --in verdicts.csv.gz --by source --min-support 50 --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	f.StringVar(&o.in, "in", "", "rows as .jsonl, .json or .csv, each also .gz or .zst (- is standard input)")
	f.StringSliceVar(&o.by, "by", nil, "columns that are dimensions, beside those in slices")
	f.Uint32Var(&o.support, "min-support", 20, "least scored rows of a slice that anything is said of")
	f.Float64Var(&o.fdr, "fdr", 0.1, "most of the slices called significant that may be so by chance, as a share")
	f.IntVar(&o.top, "top", 20, "most lines of the table; 0 prints all")
	f.BoolVar(&o.keepGoing, "keep-going", false, "a bad row does not change the exit code")
	return cmd
}

func (o *options) check() error {
	switch {
	case o.in == "":
		return errors.New("give --in with rows {passed, slices}, or {passed} and --by COLUMN")
	case !(o.fdr > 0 && o.fdr < 1):
		return fmt.Errorf("--fdr %g: want a share between 0 and 1", o.fdr)
	case o.support == 0:
		return errors.New("--min-support: want at least 1")
	case o.top < 0:
		return errors.New("--top: want 0 for all, or a number of lines")
	}
	return nil
}

func (o *options) run(ctx context.Context, a *app.App) error {
	if err := o.check(); err != nil {
		return app.Usage(err)
	}
	req, bad, err := o.read(a)
	if err != nil {
		return err
	}
	if len(req.GetRows()) == 0 {
		return app.Unchecked(errors.New("no row can be used: nothing can be said of any slice"))
	}
	s, err := a.Connect(ctx, mesh.Recorder)
	if err != nil {
		return err
	}
	got, err := recorderv1.NewRecorderServiceClient(s.Conn).AnalyzeSlices(ctx, req)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if a.JSON {
		err = a.PrintJSON(got)
	} else {
		err = o.table(a, got)
	}
	if err == nil && bad > 0 && !o.keepGoing {
		err = app.Usage(fmt.Errorf("%d row(s) could not be used", bad))
	}
	return err
}

const (
	mostRows  = 100_000
	mostBytes = 3_800_000 // of a message of 4 MiB
)

// read takes the rows; those that cannot be used are told by their line, and the others go on.
func (o *options) read(a *app.App) (*recorderv1.AnalyzeSlicesRequest, int, error) {
	file, err := a.Open(o.in)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	in, err := rows.Open(o.in, file, rows.Options{})
	if err != nil {
		return nil, 0, app.Usage(err)
	}
	defer in.Close()
	req := &recorderv1.AnalyzeSlicesRequest{MinSupport: o.support, Fdr: &o.fdr}
	bad, size := 0, 0
	refuse := func(line int, why error) {
		if bad++; bad <= 20 {
			a.Warn("line %d: %s", line, why)
		}
	}
	for {
		row, err := in.Next()
		var wrong *rows.RowError
		switch {
		case errors.Is(err, io.EOF):
			return req, bad, nil
		case errors.As(err, &wrong):
			refuse(wrong.Line, wrong.Err)
			continue
		case err != nil:
			return nil, bad, app.Usage(err)
		}
		x, err := o.row(&row)
		if err != nil {
			refuse(row.Line, err)
			continue
		}
		if size += proto.Size(x) + 8; size > mostBytes || len(req.GetRows()) == mostRows {
			return nil, bad, app.Usage(fmt.Errorf("line %d: more than %d rows or %d bytes of slices at once; take a sample, or fewer dimensions", row.Line, mostRows, mostBytes))
		}
		req.Rows = append(req.Rows, x)
	}
}

func (o *options) table(a *app.App, got *recorderv1.AnalyzeSlicesResponse) error {
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SLICE\tFAILED\tOF\tUNSCORED\tRATE\t95 % INTERVAL\tP\t")
	for i, s := range got.GetSlices() {
		if o.top > 0 && i == o.top {
			break
		}
		rate, interval, p := "-", "-", "-"
		if s.Rate != nil {
			rate, interval = fmt.Sprintf("%.3f", s.GetRate()), fmt.Sprintf("%.3f to %.3f", s.GetRateLow(), s.GetRateHigh())
		}
		if s.P != nil {
			p = fmt.Sprintf("%.2g", s.GetP())
		}
		mark := ""
		switch {
		case s.GetThin():
			mark = "thin"
		case s.GetSignificant():
			mark = "significant"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", app.OneLine(s.GetSlice()), s.GetFailures(), s.GetSupport(), s.GetUnscored(), rate, interval, p, mark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(got.GetSlices()); o.top > 0 && n > o.top {
		a.Note("%d more slices; --top 0 prints all", n-o.top)
	}
	return nil
}
