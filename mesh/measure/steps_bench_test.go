package measure

import (
	"fmt"
	"testing"
)

// BenchmarkSteps is for profiles of the ingest: an operation is a step of thirty metrics.
func BenchmarkSteps(b *testing.B) {
	for _, c := range []StepsConfig{{Runs: 1, Batch: 100}, {Runs: 1, Batch: 100, Stream: true}, {Runs: 1, Batch: 1, Stream: true},
		{Runs: 64, Batch: 100}, {Runs: 64, Batch: 100, Stream: true}} {
		b.Run(fmt.Sprintf("runs=%d/batch=%d/stream=%t", c.Runs, c.Batch, c.Stream), func(b *testing.B) {
			c.PerRun, c.Trials = max(b.N/c.Runs, 1), 1
			row, err := Steps(b.Context(), b.TempDir(), c)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(row.Ours, "steps/s")
			b.ReportMetric(row.CPU, "cpu-µs/step")
		})
	}
}

// BenchmarkLive is the memory of a thousand runs.
func BenchmarkLive(b *testing.B) {
	h, err := LiveRuns(b.Context(), b.TempDir(), 1000)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(h.Bytes[1])/1e6, "MB")
}
