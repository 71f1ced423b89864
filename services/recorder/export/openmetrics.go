package export

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/recorder/metric"
)

// sample identifies a line. Two engines' keys may give one family name; the label metric keeps them apart.
type sample struct {
	family, name string
	tags         metric.Tags
	attempt      uint32
}

// writeOpenMetrics writes the newest value of every metric. It is a picture of now, as a scrape is: series are for the
// other formats. The run is a label of one line alone, so that other series of a Prometheus do not multiply with runs.
func writeOpenMetrics(w io.Writer, r *Run) error {
	newest := map[sample]float64{}
	for p, err := range r.Points {
		if err != nil {
			return err
		}
		newest[sample{"provenir_" + familyName(p.Name), p.Name, p.Tags, p.Attempt}] = p.X
	}
	keys := make([]sample, 0, len(newest))
	for k := range newest {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareSamples)
	out := &lines{w: w}
	runFamilies(out, r)
	family := ""
	for _, k := range keys {
		if k.family != family {
			family = k.family
			out.printf("# TYPE %s gauge\n# HELP %s Newest recorded value; the label metric has the name as it was recorded.\n", family, family)
		}
		out.printf("%s{metric=\"%s\",attempt=\"%d\",scope=\"%s\",estimator=\"%s\",reduction=\"%s\",unit=\"%s\"} %s\n", family, escapeLabel(k.name),
			k.attempt, escapeLabel(k.tags.Scope), escapeLabel(k.tags.Estimator), escapeLabel(k.tags.Reduction), escapeLabel(k.tags.Unit), gauge(newest[k]))
	}
	out.printf("# EOF\n")
	return out.err
}

func runFamilies(out *lines, r *Run) {
	s := r.Summary
	out.printf("# TYPE provenir_run_info gauge\n# HELP provenir_run_info Always 1: the labels say which run it is and what was found of it.\n")
	out.printf("provenir_run_info{run=\"%s\",verdict=\"%s\",complete=\"%t\"} 1\n", escapeLabel(r.ID), escapeLabel(s.GetVerdict()), s.GetComplete())
	out.printf("# TYPE provenir_run_steps gauge\n# HELP provenir_run_steps Steps recorded.\nprovenir_run_steps %d\n", s.GetSteps())
	out.printf("# TYPE provenir_run_rollouts gauge\n# HELP provenir_run_rollouts Rollouts recorded.\nprovenir_run_rollouts %d\n", s.GetRollouts())
	if len(s.GetCounts()) > 0 {
		out.printf("# TYPE provenir_run_incidents gauge\n# HELP provenir_run_incidents Incidents opened.\n")
	}
	for _, c := range s.GetCounts() {
		out.printf("provenir_run_incidents{kind=\"%s\",severity=\"%s\"} %d\n", escapeLabel(c.GetKind()), severity(c.GetSeverity()), c.GetIncidents())
	}
}

func compareSamples(a, b sample) int {
	return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.name, b.name), cmp.Compare(a.attempt, b.attempt), cmp.Compare(a.tags.Scope, b.tags.Scope),
		cmp.Compare(a.tags.Estimator, b.tags.Estimator), cmp.Compare(a.tags.Reduction, b.tags.Reduction), cmp.Compare(a.tags.Unit, b.tags.Unit))
}

// lines remembers the first error, so that a writer of many lines reads as what it writes.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}

// familyName keeps letters, digits and underscores; the prefix in front of it means that a digit may come first.
func familyName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}

var labels = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func escapeLabel(s string) string { return labels.Replace(s) }

func gauge(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "+Inf"
	case math.IsInf(x, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
