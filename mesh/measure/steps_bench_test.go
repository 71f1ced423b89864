package measure

import (
	"fmt"
	"testing"
)

// BenchmarkSteps is for profiles of the ingest: an operation is a step of thirty metrics.
func BenchmarkSteps(b *testing.B) {
	for _, runs := range []int{1, 64} {
		b.Run(fmt.Sprintf("runs=%d", runs), func(b *testing.B) {
			row, err := Steps(b.Context(), b.TempDir(), StepsConfig{Runs: runs, PerRun: max(b.N/runs, 1), Batch: 100, Trials: 1})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(row.Ours, "steps/s")
			b.ReportMetric(row.CPU, "cpu-µs/step")
		})
	}
}
