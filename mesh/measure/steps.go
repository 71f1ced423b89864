package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/idgen"
)

// StepsConfig says how steps come.
type StepsConfig struct {
	Runs   int  // eight writers share them; one run has one writer
	PerRun int  // steps
	Batch  int  // steps a call, or a frame
	Stream bool // frames on a stream that does not wait for each acknowledgement, else calls that do
	Trials int
}

func (c StepsConfig) what() string {
	in := "call"
	if c.Stream {
		in = "frame"
	}
	return fmt.Sprintf("step metrics, runs=%d, %d a %s", c.Runs, c.Batch, in)
}

// Steps measures the ingest of step metrics: steps with some thirty metrics each, detectors on. The time ends when the last
// of them is durable.
func Steps(ctx context.Context, dir string, c StepsConfig) (Row, error) {
	row := Row{What: c.what(), Unit: "steps/s", Trials: c.Trials}
	var ours, used []float64
	for t := range c.Trials {
		rec, closeAll, err := openRecorder(ctx, filepath.Join(dir, fmt.Sprintf("steps-%d-%d-%t-%d", c.Runs, c.Batch, c.Stream, t)), nil)
		if err != nil {
			return row, err
		}
		conn, stop, err := serve(ctx, func(s grpc.ServiceRegistrar) { rec.Register(s) })
		if err != nil {
			return row, errors.Join(err, closeAll())
		}
		rate, cost, err := ingest(ctx, recorderv1.NewRecorderServiceClient(conn), c)
		used = append(used, cost)
		if err = errors.Join(err, stop(), closeAll()); err != nil {
			return row, err
		}
		ours = append(ours, rate)
	}
	row.Ours, row.CPU = median(ours), median(used)
	return row, nil
}

// ingest writes every run's steps: how many a second, and CPU µs of the process for one.
func ingest(ctx context.Context, c recorderv1.RecorderServiceClient, n StepsConfig) (rate, cost float64, err error) {
	batches := make([][]*recorderv1.Record, 0, n.PerRun/n.Batch+1)
	for from := 0; from < n.PerRun; from += n.Batch {
		var b []*recorderv1.Record
		for s := from; s < min(from+n.Batch, n.PerRun); s++ {
			payload, err := stepRecord(uint64(s), nil)
			if err != nil {
				return 0, 0, err
			}
			b = append(b, &recorderv1.Record{Seq: uint64(s), Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: payload})
		}
		batches = append(batches, b)
	}
	const writers = 8
	write := called
	if n.Stream {
		write = streamed
	}
	failed := make(chan error, writers)
	begin, before := time.Now(), cpu()
	for w := range writers {
		go func() { failed <- write(ctx, c, batches, w, n.Runs, writers) }()
	}
	var errs []error
	for range writers {
		errs = append(errs, <-failed)
	}
	all := n.Runs * n.PerRun
	return perSecond(all, time.Since(begin)), float64((cpu() - before).Microseconds()) / float64(all), errors.Join(errs...)
}

// called writes every run's steps, one run after the other, by calls that are answered when their steps are durable.
func called(ctx context.Context, c recorderv1.RecorderServiceClient, batches [][]*recorderv1.Record, first, runs, stride int) error {
	for r := first; r < runs; r += stride {
		uid, err := idgen.Generator{}.New()
		if err != nil {
			return err
		}
		for _, b := range batches {
			if _, err := c.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: uid, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: b}); err != nil {
				return err
			}
		}
	}
	return nil
}

var metricNames = []string{"advantage.max", "advantage.mean", "advantage.min", "advantage.std", "clip.high", "clip.low", "clip.region",
	"group.frac_no_signal", "group.frac_zero_std", "kl.ref", "kl.update", "length.max", "length.mean", "length.min", "length.terminated_mean",
	"length.truncated_frac", "loss.policy", "mismatch.kl_k1", "mismatch.kl_k3", "mismatch.logp_absdiff.max", "mismatch.logp_absdiff.mean",
	"optim.grad_norm", "optim.lr", "policy.entropy", "policy.nll", "ratio.first_dev", "ratio.max", "reward.mean", "reward.std_batch", "tokens.total"}

// usual is what a healthy run has of a metric. A measure of ingest with incidents in it would be one of publishing them.
func usual(name string) float64 {
	switch {
	case strings.HasPrefix(name, "mismatch."), strings.HasPrefix(name, "clip."), name == "ratio.first_dev", name == "kl.ref":
		return .01
	case name == "ratio.max":
		return 1
	case strings.HasPrefix(name, "length.m"), name == "length.terminated_mean", name == "tokens.total":
		return 100
	}
	return .25
}

// stepRecord is a step of a healthy run; change makes it something else.
func stepRecord(step uint64, change func(*corev1.StepFacts)) ([]byte, error) {
	r := rand.New(rand.NewPCG(step, 1))
	f := &corev1.StepFacts{Step: step, Applied: true, Objective: "grpo", RowsSampled: 256, RowsScored: 256, GroupsTotal: 32, GroupsWithSignal: 30, StageStep: step}
	for _, name := range metricNames {
		v := usual(name) * (1 + .1*r.Float64())
		if name == "reward.mean" { // the mean of 256 rewards that are 0 or 1 scatters by .03; with less the run would stand still
			v = .25 + .1*(r.Float64()-.5)
		}
		f.Metrics = append(f.Metrics, &corev1.Metric{Canonical: name, Value: &v, Scope: "train"})
	}
	if change != nil {
		change(f)
	}
	facts, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(&corev1.StepRecord{Facts: facts, Chain: make([]byte, 32)})
}
