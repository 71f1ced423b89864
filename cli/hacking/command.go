// Package hacking is `provenir hacking`: which rollouts earned their reward by the judge instead of the task.
package hacking

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
	"github.com/provenir/provenir/mesh"
)

type options struct {
	in        string
	keepGoing bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "hacking", Short: "Find rollouts that game their reward", Args: cobra.NoArgs,
		Long: "Reads rollouts {id, response | trajectory, prompt, verification, proxy_reward, heldout_reward, group, tests, reference}\n" +
			"and says of each whether it was hacked, with a score, the evidence, and what could not be checked. Text without what a\n" +
			"sandbox saw misses most hacks: give verification. Exit 1 where a row is hacked.",
		Example: "  provenir hacking --in rollouts.jsonl\n  provenir hacking --in rollouts.jsonl.gz --json | jq 'select(.hacked)'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	cmd.Flags().StringVar(&o.in, "in", "", "rows of rollouts (- is standard input)")
	cmd.Flags().BoolVar(&o.keepGoing, "keep-going", false, "a bad row does not change the exit code")
	return cmd
}

func (o *options) run(ctx context.Context, a *app.App) error {
	if o.in == "" {
		return app.Usage(errors.New("give --in with rows {id, response}"))
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
	defer cancel() // ends the sender where the receiver fails
	stream, err := recorderv1.NewRecorderServiceClient(s.Conn).AnalyzeTrajectories(ctx)
	if err != nil {
		return err
	}
	p := newPrinter(a)
	sent := make(chan error, 1)
	go func() { sent <- send(stream, reader, p) }()
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			cancel()
			return errors.Join(err, ended(<-sent))
		}
		if err := p.take(m); err != nil {
			return err
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	return p.finish(o.keepGoing)
}

// ended hides what only says that the stream is over.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

const (
	batchRows  = 128
	batchBytes = 1 << 20
)

// send streams the rows. A bad row is told to the printer with its place, so that output keeps the order of the file.
func send(stream recorderv1.RecorderService_AnalyzeTrajectoriesClient, in *rows.Reader, p *printer) error {
	var batch []*recorderv1.Trajectory
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := stream.Send(&recorderv1.AnalyzeTrajectoriesRequest{Rows: batch})
		batch, size = nil, 0
		return ended(err)
	}
	ids := map[string]bool{}
	for {
		row, err := in.Next()
		var bad *rows.RowError
		switch {
		case errors.Is(err, io.EOF):
			return errors.Join(flush(), stream.CloseSend())
		case errors.As(err, &bad):
			p.refuse("", bad.Code, bad.Err.Error(), bad.Line)
			continue
		case err != nil:
			return errors.Join(app.Usage(err), stream.CloseSend())
		}
		t, why := trajectory(&row, ids)
		if why != nil {
			p.refuse(t.GetId(), why.code, why.text, row.Line)
			continue
		}
		p.expect(row.Line)
		batch = append(batch, t)
		for _, f := range row.Fields {
			size += len(f.JSON)
		}
		if len(batch) >= batchRows || size >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

var errHacked = errors.New("hacked")

func hackedError(n, of uint64) error {
	return app.Fails(fmt.Errorf("%d of %d rows are %w", n, of, errHacked))
}
