package bench

import (
	"context"

	"github.com/provenir/provenir/mesh/measure"
)

// suite measures one path; trials is how often each row is repeated.
type suite func(ctx context.Context, dir string, trials int) ([]measure.Row, []measure.Latency, error)

func suites() map[string]suite {
	return map[string]suite{"pump": pump, "recorder": recorder, "anomaly": anomaly, "trainer": trainer}
}

func pump(ctx context.Context, dir string, trials int) (out []measure.Row, _ []measure.Latency, err error) {
	for _, c := range []measure.PumpConfig{
		{Size: 1 << 10, Round: 256, Rollouts: 1 << 17, Trials: trials}, {Size: 16 << 10, Round: 256, Rollouts: 1 << 14, Trials: trials},
		{Size: 1 << 10, Round: 64, Rollouts: 1 << 16, Trials: trials},
	} {
		r, err := measure.Pump(ctx, dir, c)
		if err != nil {
			return out, nil, err
		}
		out = append(out, r)
	}
	return out, nil, nil
}

func recorder(ctx context.Context, dir string, trials int) ([]measure.Row, []measure.Latency, error) {
	many, err := measure.Steps(ctx, dir, 64, 2048, trials)
	return []measure.Row{many}, nil, err
}

func anomaly(ctx context.Context, dir string, _ int) ([]measure.Row, []measure.Latency, error) {
	l, err := measure.Anomalies(ctx, dir, 500)
	return nil, []measure.Latency{l}, err
}

func trainer(ctx context.Context, _ string, trials int) ([]measure.Row, []measure.Latency, error) {
	rows, err := measure.Engine(ctx, trials)
	return rows, nil, err
}
