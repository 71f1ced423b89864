// Package slice finds parts of the data that fail more or less often than the rest.
//
// It is pure. A failure is a row whose verdict is no; an unscored row is neither and has a column of its own. Intervals are
// Wilson's at 95 %, the test against all other rows is Fisher's exact one, two-sided, and Benjamini and Hochberg (1995) hold
// the share of false discoveries over all slices that have support enough to be tested.
package slice

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

// Defaults of the settings.
const (
	MinSupport = 20
	FDR        = 0.1
)

// most bounds how many slices are judged; there are more where a dimension has a value of its own for every row.
const most = 10_000

// Row is one verdict.
type Row struct {
	Values map[string]string // by dimension; a blank one reads unknown
	Passed *bool             // nil is unscored
	Length *uint64           // of the response in tokens
}

// Settings of an analysis; zeros take the defaults.
type Settings struct {
	MinSupport uint64
	FDR        float64
}

// Rate is how often a slice fails.
type Rate struct {
	Name                        string
	Failures, Support, Unscored uint64
	Low, High                   float64
	P                           float64 // against all other rows; NaN where it was not tested
	Significant, Thin           bool
}

// Share of failures; NaN without support.
func (r *Rate) Share() float64 { return float64(r.Failures) / float64(r.Support) }

// TooMany says that there are more slices than can be told apart.
type TooMany struct{ Dimension string }

func (e *TooMany) Error() string {
	return fmt.Sprintf("more than %d slices, most of dimension %q; a dimension with a value for every row is none", most, e.Dimension)
}

// Analyze gives the slices, worst first. The error is a *TooMany.
func Analyze(rows []Row, set Settings) ([]Rate, error) {
	set.MinSupport = cmp.Or(set.MinSupport, MinSupport)
	set.FDR = cmp.Or(set.FDR, FDR)
	by := map[string]*Rate{}
	widths := map[string]int{}
	var failures, support uint64
	cut := lengthCuts(rows)
	for i := range rows {
		scored, failed := rows[i].Passed != nil, rows[i].Passed != nil && !*rows[i].Passed
		if scored {
			support++
		}
		if failed {
			failures++
		}
		for _, name := range namesOf(&rows[i], cut) {
			r := by[name]
			if r == nil {
				r = &Rate{Name: name, P: math.NaN()}
				by[name] = r
				dim, _, _ := strings.Cut(name, "=")
				if widths[dim]++; len(by) > most {
					return nil, &TooMany{widest(widths)}
				}
			}
			switch {
			case !scored:
				r.Unscored++
			case failed:
				r.Failures++
				fallthrough
			default:
				r.Support++
			}
		}
	}
	out := make([]Rate, 0, len(by))
	for _, r := range by {
		r.Low, r.High = stat.Wilson(r.Failures, r.Support)
		r.Thin = r.Support < set.MinSupport
		if !r.Thin && r.Support < support {
			r.P = fisher(r.Failures, r.Support, failures-r.Failures, support-r.Support)
		}
		out = append(out, *r)
	}
	discover(out, set.FDR)
	slices.SortFunc(out, worse)
	return out, nil
}

func widest(widths map[string]int) string {
	best := ""
	for dim, n := range widths {
		if best == "" || n > widths[best] || n == widths[best] && dim < best {
			best = dim
		}
	}
	return best
}

// worse puts what is surely bad before what may be: by the lower end of the interval, thin slices last.
func worse(a, b Rate) int {
	if a.Thin != b.Thin {
		if a.Thin {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(b.Low, a.Low), strings.Compare(a.Name, b.Name))
}
