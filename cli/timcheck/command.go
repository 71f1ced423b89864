// Package timcheck is `provenir tim-check`: whether the engine that samples and the one that trains are the same policy.
package timcheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/mesh"
)

type options struct {
	in, stage        string
	threshold, maxKL float64
	gated            bool // a limit was given
	keepGoing        bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "tim-check", Short: "Compare log-probabilities of the training and of the inference engine", Args: cobra.NoArgs,
		Long: "Reads rows {prompt, train_log_probs, inference_log_probs, id, mask, sampled} with the log-probabilities of the same tokens\n" +
			"in nats, and says of each row and of all how far the engines are apart. --max-kl is held against the 99th percentile of k3\n" +
			"over rows, so that one bad prompt in fifty does not vanish in a mean: with --stage production (prod, release) it blocks\n" +
			"with exit 1, elsewhere it warns. Production without --max-kl is held to the threshold.",
		Example: "  provenir tim-check --in logprobs.jsonl\n  provenir tim-check --in logprobs.jsonl.gz --max-kl 0.05 --stage production --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.gated = cmd.Flags().Changed("max-kl")
			return o.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.in, "in", "", "rows of log-probabilities as .jsonl, .json or .csv, each also .gz or .zst (- is standard input)")
	f.Float64Var(&o.threshold, "threshold", 0.1, "most that k3 and the mean absolute difference of a row may be, in nats")
	f.Float64Var(&o.maxKL, "max-kl", 0, "most that the 99th percentile of k3 over rows may be, in nats")
	f.StringVar(&o.stage, "stage", "", "where the policy goes: production blocks, everything else warns")
	f.BoolVar(&o.keepGoing, "keep-going", false, "a bad row does not change the exit code")
	return cmd
}

// production are the stages in which a gate blocks.
func (o *options) production() bool {
	return slices.Contains([]string{"production", "prod", "release"}, strings.ToLower(strings.TrimSpace(o.stage)))
}

func (o *options) check() error {
	switch {
	case o.in == "":
		return errors.New("give --in with rows {prompt, train_log_probs, inference_log_probs}")
	case !(o.threshold > 0) || math.IsInf(o.threshold, 0):
		return fmt.Errorf("--threshold %g: want a number above 0", o.threshold)
	case o.gated && (!(o.maxKL > 0) || math.IsInf(o.maxKL, 0)):
		return fmt.Errorf("--max-kl %g: want a number above 0", o.maxKL)
	}
	if !o.gated && o.production() {
		o.gated, o.maxKL = true, o.threshold
	}
	return nil
}

func (o *options) run(ctx context.Context, a *app.App) error {
	if err := o.check(); err != nil {
		return app.Usage(err)
	}
	file, err := a.Open(o.in)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := rows.Open(o.in, file, rows.Options{})
	if err != nil {
		return app.Usage(err)
	}
	defer reader.Close()
	s, err := a.Connect(ctx, mesh.Recorder)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := recorderv1.NewRecorderServiceClient(s.Conn).CheckMismatch(ctx)
	if err != nil {
		return err
	}
	p := &printer{a: a}
	sum, err := o.compare(stream, reader, p)
	if err != nil {
		return err
	}
	return o.conclude(a, p, sum)
}

const (
	chunkRows  = 128
	chunkBytes = 1 << 20
)

// compare sends rows in chunks, and waits for the results of one before it sends the next: every message is answered.
func (o *options) compare(stream recorderv1.RecorderService_CheckMismatchClient, in *rows.Reader, p *printer) (*recorderv1.MismatchSummary, error) {
	if err := stream.Send(&recorderv1.CheckMismatchRequest{Threshold: &o.threshold}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err // the end of the stream has its reason in what is received
	}
	c := chunk{stream: stream, p: p}
	ids := map[string]bool{}
	for {
		row, err := in.Next()
		var bad *rows.RowError
		switch {
		case errors.Is(err, io.EOF):
			return c.finish()
		case errors.As(err, &bad):
			c.places = append(c.places, place{line: bad.Line, bad: &problem{bad.Code, bad.Err.Error(), bad.Line}})
			continue
		case err != nil:
			return nil, app.Usage(err)
		}
		m, why := sequence(&row, ids)
		if why != nil {
			why.Line = row.Line
			c.places = append(c.places, place{id: m.GetId(), line: row.Line, bad: why})
			continue
		}
		c.places = append(c.places, place{id: m.GetId(), line: row.Line})
		c.rows, c.size = append(c.rows, m), c.size+proto.Size(m)
		if len(c.rows) >= chunkRows || c.size >= chunkBytes {
			if err := c.flush(); err != nil {
				return nil, err
			}
		}
	}
}

// conclude says what the numbers come to: 1 where the gate is closed, 2 for bad rows, 3 where nothing could be compared.
func (o *options) conclude(a *app.App, p *printer, sum *recorderv1.MismatchSummary) error {
	p99 := sum.GetQuantiles()["k3"].GetP99()
	closed := o.gated && sum.GetRows() > 0 && p99 > o.maxKL
	if err := p.total(sum, o, closed); err != nil {
		return err
	}
	switch {
	case closed && o.production():
		return app.Fails(fmt.Errorf("the 99th percentile of k3 over rows is %.4g nats, above %g: the engines are not one policy", p99, o.maxKL))
	case closed:
		a.Warn("the 99th percentile of k3 over rows is %.4g nats, above %g; production would be blocked", p99, o.maxKL)
	case sum.GetMismatched() > 0:
		a.Warn("%d of %d rows are mismatched", sum.GetMismatched(), sum.GetRows())
	}
	switch {
	case p.wrong > 0 && !o.keepGoing:
		return app.Usage(fmt.Errorf("%d row(s) could not be used; their lines say why (--keep-going accepts that)", p.wrong))
	case sum.GetRows() == 0:
		return app.Unchecked(errors.New("no row was compared"))
	}
	return nil
}
