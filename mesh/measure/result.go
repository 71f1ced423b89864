// Package measure times the paths of the mesh beside the raw ceilings of the same machine in the same run, so that a
// figure can be read as a ratio. It is what `provenir bench` runs.
package measure

import (
	"slices"
	"time"
)

// Row is one figure.
type Row struct {
	What    string  `json:"what"`
	Unit    string  `json:"unit"` // per second
	Ours    float64 `json:"ours"`
	Ceiling float64 `json:"ceiling,omitempty"` // 0: no ceiling was measured
	Of      string  `json:"of,omitempty"`      // what the ceiling is
	CPU     float64 `json:"cpu_us,omitempty"`  // CPU µs of the process for one
	Trials  int     `json:"trials"`
}

// Ratio of ours to the ceiling; false when there is none.
func (r Row) Ratio() (float64, bool) { return r.Ours / r.Ceiling, r.Ceiling > 0 }

// median of some trials.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// perSecond is n over a time.
func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
