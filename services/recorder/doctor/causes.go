package doctor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

// Cause is one piece of evidence.
type Cause struct {
	Category, Kind string // the category is empty for a note
	Onset          *uint64
	Weight         float64 // log-odds that it adds to its category; 0 for notes and for what another explains
	Detail         string
	Incident       string
	ExplainedBy    string
	family         string
	size           float64 // 1; 0.5 for an incident that only warns, because those come and go in healthy runs too
}

// gathering collects evidence.
type gathering struct {
	in       *Input
	causes   []Cause
	findings []string
	missing  []string
	sizes    map[string]float64 // of a family's strongest cause that nothing explains
}

func (g *gathering) add(kind, detail string) {
	f, _ := familyOf(kind)
	g.causes = append(g.causes, Cause{Category: f.category, Kind: kind, Detail: detail, family: f.name, size: 1})
}

func (g *gathering) incidents() {
	for _, i := range g.in.Incidents {
		f, _ := familyOf(i.Kind)
		c := Cause{Category: f.category, Kind: i.Kind, Onset: i.Onset, Detail: i.Detail, Incident: i.UID, family: f.name, size: 1}
		if i.Warn {
			c.size = 0.5
		}
		if f.name == "trend" {
			continue // the trend below is judged over more of the run
		}
		if c.Detail == "" {
			c.Detail = "an incident is open"
		}
		g.causes = append(g.causes, c)
	}
}

func (g *gathering) measured() {
	in := g.in
	if in.Contamination == nil {
		g.missing = append(g.missing, "contamination of the evaluation")
	} else if *in.Contamination > 0 {
		g.add(kindContamination, fmt.Sprintf("%.2g %% of the evaluation is in the training data", 100**in.Contamination))
	}
	g.hacking()
	if in.AgeDays == nil {
		g.missing = append(g.missing, "age of the data in days")
	} else if *in.AgeDays > in.limit("stale_data_days") {
		g.add(kindStale, fmt.Sprintf("the data is %.0f days old", *in.AgeDays))
	}
	if names := in.failing(); len(names) > 0 {
		g.add(kindSlices, fmt.Sprintf("more than %.0f %% of these fail: %s", 100*in.limit("slice_failure_max"), strings.Join(names, "; ")))
	}
}

// hacking weighs the rate of hacked rollouts by the lower end of its interval: one flagged row is a note and no cause.
func (g *gathering) hacking() {
	in := g.in
	if in.HackingRate == nil {
		g.missing = append(g.missing, "rate of hacked rollouts (provenir hacking)")
		return
	}
	low, most := *in.HackingRate, in.limit("hacking_rate_max")
	how := "of an unknown number of rows"
	if in.Inspected == nil {
		g.missing = append(g.missing, "how many rollouts the hacking rate is of")
	} else {
		n := *in.Inspected
		low, _ = stat.Wilson(uint64(math.Round(*in.HackingRate*float64(n))), n)
		how = fmt.Sprintf("of %d rows, at least %.1f %% of all", n, 100*low)
	}
	detail := fmt.Sprintf("%.1f %% of rollouts are hacked, %s", 100**in.HackingRate, how)
	if low > most {
		g.add(kindHackRate, detail)
	} else if *in.HackingRate > 0 {
		g.causes = append(g.causes, Cause{Kind: kindHackRate, Detail: detail + ": a note, the limit is " + fmt.Sprintf("%g %%", 100*most)})
	}
}

func (in *Input) failing() []string {
	var out []string
	for _, s := range in.Slices {
		if !s.Thin && s.Support > 0 && float64(s.Failures)/float64(s.Support) > in.limit("slice_failure_max") {
			out = append(out, s.Name)
		}
	}
	return out
}

func (g *gathering) series(paid, strict *Trend) {
	for _, s := range []struct {
		name   string
		values []float64
	}{{"rewards", g.in.Rewards}, {"heldout", g.in.Heldout}} {
		if bad := len(s.values) - countFinite(s.values); bad > 0 {
			g.findings = append(g.findings, fmt.Sprintf("%s: %d of %d values are not finite", s.name, bad, len(s.values)))
			if s.name == "rewards" {
				g.add(kindNonFinite, fmt.Sprintf("%d of %d rewards are not finite", bad, len(s.values)))
			}
		}
	}
	if least := int(g.in.limit("plateau_window")); paid.N < least {
		g.missing = append(g.missing, fmt.Sprintf("rewards of at least %d steps", least))
	}
	if len(g.in.Heldout) == 0 {
		g.missing = append(g.missing, "a held-out reward that is not paid")
	}
	for _, v := range []struct{ verdict, kind, detail string }{
		{Improving, kindRising, "the reward rises"},
		{Ceiling, kindCeiling, "the reward is at the top of its range"},
		{Plateau, kindPlateau, "the reward stands still"},
		{Declining, kindDecline, "the reward falls"},
	} {
		if paid.Verdict == v.verdict {
			g.add(v.kind, fmt.Sprintf("%s: %+.3g over %d steps, p %.2g", v.detail, paid.Change, paid.N, paid.P))
		}
	}
	if paid.Verdict == Improving && strict.Verdict == Declining || paid.Verdict == Declining && strict.Verdict == Improving {
		g.add(kindDisagreement, fmt.Sprintf("the paid reward is %s and the held-out one %s", paid.Verdict, strict.Verdict))
	}
}

func countFinite(v []float64) int {
	_, y := finite(v)
	return len(y)
}

// explain marks what follows from an earlier cause, and gives the others their weight: of a family only the strongest one.
func (g *gathering) explain() {
	slices.SortStableFunc(g.causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(onset(&a), onset(&b)), cmp.Compare(rank(a.Category), rank(b.Category)))
	})
	for i := range g.causes {
		for j := range g.causes {
			from, to := &g.causes[j], &g.causes[i]
			if i != j && to.Category != "" && from.Category != "" && before(from, to) && leads(from, to) {
				to.ExplainedBy = from.Kind
				break // the earliest one
			}
		}
	}
	sizes := map[string]float64{}
	for i := range g.causes {
		c := &g.causes[i]
		if more := c.size - sizes[c.family]; c.Category != "" && c.ExplainedBy == "" && more > 0 {
			c.Weight = weights[c.family] * more
			sizes[c.family] = c.size
		}
	}
	g.sizes = sizes
}

// before says whether a cause began no later than another. Where a step is unknown nothing speaks against it.
func before(a, b *Cause) bool {
	return a.Onset == nil || b.Onset == nil || *a.Onset <= *b.Onset
}

func onset(c *Cause) float64 {
	if c.Onset == nil {
		return math.Inf(1)
	}
	return float64(*c.Onset)
}

func rank(category string) int {
	if i := slices.Index(categories, category); i >= 0 {
		return i
	}
	return len(categories)
}
