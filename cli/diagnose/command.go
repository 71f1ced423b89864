// Package diagnose is `provenir diagnose`: what is wrong with a run, and what to do next.
package diagnose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

type options struct {
	in              string
	engine, method  string
	proxy, heldout  string
	anomalies       []string
	hacking, dirty  float64
	inspected       uint64
	age, span       float64
	limits          map[string]string
	request         recorderv1.DiagnoseRequest
	runName         string
	fromLog, ofRuns bool
}

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "diagnose [REWARD… | RUN | LOG]", Short: "Say what is wrong with a run and what to do next",
		Long: "Takes rewards by step, a run of the ledger, or the log of an engine (a file, or --in), and gives one category, one decision and the\n" +
			"evidence with the step where it began. The confidence is fitted on simulated faults (docs/diagnosis.md). A word that\n" +
			"reads as a number is a reward; put -- before negative ones. Exit 3 where there is too little to say anything, else 0:\n" +
			"a diagnosis is no check.",
		Example: "  provenir diagnose 0.31 0.32 0.30 0.31 0.31 --anomaly entropy_collapse\n" +
			"  provenir diagnose --in runs/metrics.jsonl --contamination-rate 0 --data-age-days 30\n" +
			"  provenir diagnose @last --hacking-rate 0.02 --hacking-inspected 500 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.read(cmd, args); err != nil {
				return app.Usage(err)
			}
			return o.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.in, "in", "", "the log of an engine (- is standard input)")
	f.StringVar(&o.engine, "engine", "auto", "engine of the log, as in recorder analyze")
	f.StringVar(&o.method, "method", "", "grpo, dpo or sft (inferred where it is missing)")
	f.StringVar(&o.proxy, "proxy", "", "key of the paid reward in the log")
	f.StringVar(&o.heldout, "heldout", "", "key of the true, unpaid reward in the log")
	f.StringArrayVar(&o.anomalies, "anomaly", nil, "kind of an open incident; may be given again")
	f.Float64Var(&o.hacking, "hacking-rate", 0, "share of hacked rollouts, 0 to 1")
	f.Uint64Var(&o.inspected, "hacking-inspected", 0, "how many rollouts that share is of")
	f.Float64Var(&o.dirty, "contamination-rate", 0, "share of the evaluation that is in the training data, 0 to 1")
	f.Float64Var(&o.age, "data-age-days", 0, "age of the data")
	f.Float64Var(&o.span, "reward-range", 1, "width of the range of rewards")
	f.StringToStringVar(&o.limits, "limit", nil, "set a limit, as hacking_rate_max=0.05 (docs/diagnosis.md lists them)")
	return cmd
}

// read makes the request of flags and words.
func (o *options) read(cmd *cobra.Command, args []string) error {
	req := &o.request
	for flag, to := range map[string]struct {
		v  *float64
		to **float64
	}{"hacking-rate": {&o.hacking, &req.HackingRate}, "contamination-rate": {&o.dirty, &req.ContaminationRate}, "data-age-days": {&o.age, &req.DataAgeDays}, "reward-range": {&o.span, &req.RewardRange}} {
		if cmd.Flags().Changed(flag) { // what nobody gave is unknown, not 0
			*to.to = to.v
		}
	}
	if cmd.Flags().Changed("hacking-inspected") {
		req.HackingInspected = &o.inspected
	}
	if req.HackingInspected != nil && req.HackingRate == nil {
		return errors.New("--hacking-inspected says of how many rows --hacking-rate is; give that too")
	}
	req.Limits = map[string]float64{}
	for name, text := range o.limits {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("--limit %s=%s: %s is no number", name, text, text)
		}
		req.Limits[name] = x
	}
	req.Anomalies = o.anomalies
	return o.subject(args)
}

// subject says what is asked about: rewards, a run or a log.
func (o *options) subject(args []string) error {
	switch {
	case o.in != "" && len(args) > 0:
		return fmt.Errorf("give either --in or %q", args[0])
	case o.in != "":
		o.fromLog = true
		return nil
	case len(args) == 1 && notNumber(args[0]) && isFile(args[0]):
		o.in, o.fromLog = args[0], true
		return nil
	case len(args) == 1 && (len(args[0]) == app.UIDLength || notNumber(args[0])):
		o.runName, o.ofRuns = args[0], true
		if len(o.anomalies) > 0 {
			return errors.New("--anomaly goes with rewards: a run has its own incidents")
		}
		return nil
	}
	for _, w := range args {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return fmt.Errorf("%q is no reward; give numbers, one run, or --in", w)
		}
		o.request.Rewards = append(o.request.Rewards, x)
	}
	if len(args) == 0 && len(o.anomalies) == 0 && o.request.HackingRate == nil && o.request.ContaminationRate == nil && o.request.DataAgeDays == nil {
		return errors.New("give rewards, a run, or --in with a log")
	}
	return nil
}

// isFile tells a log from a run: no run's name has a folder or an ending.
func isFile(word string) bool {
	info, err := os.Stat(word)
	return err == nil && info.Mode().IsRegular()
}

func notNumber(word string) bool {
	_, err := strconv.ParseFloat(word, 64)
	return err != nil
}

func (o *options) run(ctx context.Context, a *app.App) error {
	roles := []mesh.Role{mesh.Recorder}
	if o.ofRuns && len(o.runName) != app.UIDLength {
		roles = mesh.Roles() // the orchestrator knows which run is meant, and does not start without the others
	}
	var log []logRow
	if o.fromLog {
		var err error
		if log, err = readLog(a, o.in); err != nil {
			return err
		}
	}
	s, err := a.Connect(ctx, roles...)
	if err != nil {
		return err
	}
	defer s.Close()
	client := recorderv1.NewRecorderServiceClient(s.Conn)
	if o.ofRuns {
		if o.request.Run, err = s.RunUID(ctx, o.runName); err != nil {
			return err
		}
	}
	if o.fromLog {
		if err := o.fill(ctx, a, client, log); err != nil {
			return err
		}
	}
	got, err := client.Diagnose(ctx, &o.request)
	if err != nil {
		return err
	}
	d := got.GetDiagnosis()
	if err := show(a, d); err != nil {
		return err
	}
	if d.GetCategory() == "insufficient" {
		return app.Unchecked(errors.New("there is too little evidence; the answer says what to log"))
	}
	return nil
}
