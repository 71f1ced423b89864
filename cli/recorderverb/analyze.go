package recorderverb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/enginelog"
	"github.com/provenir/provenir/mesh"
)

type analysis struct {
	in, failOn string
	follow     bool
	keepGoing  bool
	beta       float64
	span       float64
	limits     map[string]string
	header     recorderv1.LogHeader
}

func newAnalyze(a *app.App) *cobra.Command {
	o := &analysis{}
	cmd := &cobra.Command{
		Use: "analyze", Short: "Find what went wrong in the log of any engine", Args: cobra.NoArgs,
		Long: "Reads the metrics that TRL, Unsloth, verl, prime-rl, NeMo-RL, OpenRLHF, SkyRL or Tinker wrote: JSON lines, a\n" +
			"trainer_state.json, a JSON array, CSV, Parquet or verl's console lines, each also .gz or .zst. It says which incidents there were,\n" +
			"since when, and what could not be checked. Exit 1 for a critical incident, 3 where there is too little to say anything.",
		Example: "  provenir recorder analyze --in runs/metrics.jsonl\n" +
			"  provenir recorder analyze --in log.jsonl --engine tinker --proxy reward/g --heldout reward/f --json",
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, a) },
	}
	f := cmd.Flags()
	f.StringVar(&o.in, "in", "", "the log (- is standard input)")
	f.StringVar(&o.header.Engine, "engine", "auto", "trl, unsloth, verl, prime, nemo, openrlhf, skyrl, tinker, provenir or auto")
	f.StringVar(&o.header.Method, "method", "", "grpo, dpo or sft (inferred where it is missing)")
	f.StringVar(&o.header.Proxy, "proxy", "", "key of the paid reward")
	f.StringVar(&o.header.Heldout, "heldout", "", "key of the true, unpaid reward")
	f.StringVar(&o.header.Model, "model", "", "name of the model, for what is normal in its family")
	f.Float64Var(&o.beta, "kl-coefficient", 0, "coefficient of the KL term, where it is known; 0 is none")
	f.Float64Var(&o.span, "reward-range", 0, "width of the range of rewards, where they leave 0 to 1")
	f.StringToStringVar(&o.limits, "limit", nil, "set a limit, as kl_max=1 (docs/detectors.md lists them)")
	f.StringSliceVar(&o.header.Disabled, "disable", nil, "kinds that are not to be found")
	f.StringVar(&o.failOn, "fail-on", "critical", "exit 1 from this severity on: warn or critical")
	f.BoolVar(&o.follow, "follow", false, "go on as the log grows, until interrupted")
	f.BoolVar(&o.keepGoing, "keep-going", false, "a bad row does not change the exit code")
	return cmd
}

func (o *analysis) check(cmd *cobra.Command) error {
	if o.in == "" {
		return errors.New("give --in")
	}
	if o.failOn != "warn" && o.failOn != "critical" {
		return fmt.Errorf("--fail-on %s: want warn or critical", o.failOn)
	}
	if o.follow && o.in == "-" {
		return errors.New("--follow needs a file; standard input is followed anyway")
	}
	if cmd.Flags().Changed("kl-coefficient") {
		o.header.KlCoefficient = &o.beta
	}
	if cmd.Flags().Changed("reward-range") {
		o.header.RewardRange = &o.span
	}
	o.header.Limits = map[string]float64{}
	for name, text := range o.limits {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("--limit %s=%s: %s is no number", name, text, text)
		}
		o.header.Limits[name] = x
	}
	return nil
}

func (o *analysis) run(cmd *cobra.Command, a *app.App) error {
	if err := o.check(cmd); err != nil {
		return app.Usage(err)
	}
	next, closing, err := o.open(cmd.Context(), a)
	if err != nil {
		return err
	}
	defer closing()
	s, err := a.Connect(context.WithoutCancel(cmd.Context()), mesh.Recorder)
	if err != nil {
		return err
	}
	defer s.Close()
	// An interrupt ends the rows, not the call: the verdict on what was read still comes.
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	defer cancel()
	stream, err := recorderv1.NewRecorderServiceClient(s.Conn).AnalyzeLog(ctx)
	if err != nil {
		return err
	}
	p := &printer{a: a, least: corev1.Severity(corev1.Severity_value["SEVERITY_"+upper(o.failOn)])}
	sent := make(chan error, 1)
	go func() { sent <- o.send(stream, next, p) }()
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.print(m); err != nil {
			return err
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	return p.exit(o.keepGoing, &o.header)
}

// open gives the rows of the file, or of its growing end until the context is over.
func (o *analysis) open(ctx context.Context, a *app.App) (next func() (enginelog.Row, error), closing func(), err error) {
	if o.follow {
		rows := make(chan enginelog.Row, 64)
		failed := make(chan error, 1)
		tail := &enginelog.Tail{Path: o.in, OnRestart: func(why string) { a.Note("%s: %s; reading it from its beginning", o.in, why) }}
		go func() {
			defer close(rows)
			failed <- tail.Run(ctx, func(r enginelog.Row) error {
				select {
				case rows <- r:
				case <-ctx.Done():
				}
				return nil
			})
		}()
		return func() (enginelog.Row, error) {
			r, ok := <-rows
			if !ok {
				return r, errors.Join(<-failed, io.EOF)
			}
			return r, nil
		}, func() {}, nil
	}
	in, err := a.Open(o.in)
	if err != nil {
		return nil, nil, err
	}
	r, err := enginelog.Open(o.in, in)
	if err != nil {
		return nil, nil, app.Usage(errors.Join(err, in.Close()))
	}
	return r.Next, func() { r.Close(); _ = in.Close() }, nil
}

const batch = 256 // rows a frame

func (o *analysis) send(stream recorderv1.RecorderService_AnalyzeLogClient, next func() (enginelog.Row, error), p *printer) error {
	if err := stream.Send(&recorderv1.AnalyzeLogRequest{Frame: &recorderv1.AnalyzeLogRequest_Header{Header: &o.header}}); err != nil {
		return finished(err)
	}
	var rows []*recorderv1.LogRow
	size := 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := stream.Send(&recorderv1.AnalyzeLogRequest{Frame: &recorderv1.AnalyzeLogRequest_Rows{Rows: &recorderv1.LogRows{Rows: rows}}})
		rows, size = nil, 0
		return finished(err)
	}
	for {
		r, err := next()
		var bad *enginelog.RowError
		switch {
		case errors.Is(err, io.EOF):
			if err := flush(); err != nil {
				return err
			}
			return stream.CloseSend()
		case errors.As(err, &bad):
			p.bad(bad.Line, bad.Err.Error())
			continue
		case err != nil:
			return errors.Join(app.Usage(err), stream.CloseSend())
		}
		if len(r.JSON) > enginelog.MaxRow {
			p.bad(r.Line, "the row is too large")
			continue
		}
		rows = append(rows, &recorderv1.LogRow{Line: r.Line, Json: r.JSON})
		if size += len(r.JSON); len(rows) >= batch || size > 1<<20 || o.follow {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// finished hides the end of the stream, whose cause Recv tells.
func finished(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
