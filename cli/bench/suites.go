package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/provenir/provenir/mesh/measure"
)

// figures are what a suite measured.
type figures struct {
	rows  []measure.Row
	times []measure.Latency
	heaps []measure.Heap
}

// suite measures one path; trials is how often each row is repeated.
type suite func(ctx context.Context, dir string, trials int) (figures, error)

func suites() map[string]suite {
	return map[string]suite{"pump": pump, "recorder": recorder, "anomaly": anomaly, "trainer": trainer, "soak": soak, "verifier": verifier, "ledger": ledger}
}

func pump(ctx context.Context, dir string, trials int) (out figures, err error) {
	for _, c := range []measure.PumpConfig{
		{Size: 1 << 10, Round: 256, Rollouts: 1 << 17, Trials: trials}, {Size: 16 << 10, Round: 256, Rollouts: 1 << 14, Trials: trials},
		{Size: 1 << 10, Round: 64, Rollouts: 1 << 16, Trials: trials},
	} {
		r, err := measure.Pump(ctx, dir, c)
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, r)
	}
	return out, nil
}

func recorder(ctx context.Context, dir string, trials int) (figures, error) {
	var out figures
	for _, c := range []measure.StepsConfig{
		{Runs: 64, PerRun: 5_000, Batch: 100, Stream: true, Trials: trials}, {Runs: 64, PerRun: 5_000, Batch: 100, Trials: trials},
		{Runs: 1, PerRun: 100_000, Batch: 100, Stream: true, Trials: trials}, {Runs: 1, PerRun: 50_000, Batch: 100, Trials: trials},
		{Runs: 1, PerRun: 50_000, Batch: 1, Stream: true, Trials: trials}, {Runs: 1, PerRun: 5_000, Batch: 1, Trials: trials},
	} {
		row, err := measure.Steps(ctx, dir, c)
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, row)
	}
	live, err := measure.LiveRuns(ctx, dir, 1000)
	out.heaps = append(out.heaps, live)
	return out, err
}

func anomaly(ctx context.Context, dir string, _ int) (figures, error) {
	l, err := measure.Anomalies(ctx, dir, 500)
	return figures{times: []measure.Latency{l}}, err
}

func trainer(ctx context.Context, _ string, trials int) (figures, error) {
	rows, err := measure.Engine(ctx, trials)
	return figures{rows: rows}, err
}

func soak(ctx context.Context, dir string, _ int) (figures, error) {
	h, err := measure.Soak(ctx, dir, 1_000_000)
	return figures{heaps: []measure.Heap{h}}, err
}

func verifier(ctx context.Context, _ string, trials int) (figures, error) {
	rows, err := measure.Verdicts(ctx, trials)
	return figures{rows: rows}, err
}

// ledger is the log of ten million records: 3 GB on the disk, some minutes.
func ledger(ctx context.Context, dir string, _ int) (out figures, err error) {
	for _, c := range []struct{ records, size int }{{1_000_000, 1 << 10}, {10_000_000, 128}} {
		at := filepath.Join(dir, strconv.Itoa(c.records))
		rows, times, err := measure.Ledger(ctx, at, c.records, c.size)
		if err = errors.Join(err, os.RemoveAll(at)); err != nil {
			return out, err
		}
		out.rows, out.times = append(out.rows, rows...), append(out.times, times...)
	}
	return out, nil
}
