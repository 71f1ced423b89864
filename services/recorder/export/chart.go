package export

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

// ChartPoints is how many points of a series a report draws; more would not be seen.
const ChartPoints = 400

// charted are the report's plots, in its order. A run that has none of the names of one gets a line that says so.
var charted = []struct {
	title string
	names []string
}{
	{"Paid reward", []string{metric.RewardMean}},
	{"Held-out score", []string{metric.HeldoutMean}},
	{"KL to the reference", []string{metric.KLRef}},
	{"Entropy", []string{metric.Entropy}},
	{"Length", []string{metric.LengthMean}},
}

// ChartNames are the metrics that a report draws.
func ChartNames() []string {
	var out []string
	for _, c := range charted {
		out = append(out, c.names...)
	}
	return out
}

// Plot area in units of the SVG's view box.
const (
	left, right, top, bottom = 72.0, 12.0, 12.0, 26.0
	width, height            = 640.0, 200.0
)

// chart is a plot, ready for the template. Every text in it is escaped there.
type chart struct {
	Title, Metric, Unit string
	Lines               []string // points of a polyline, one an attempt or a stretch without holes
	Dots                []mark   // stretches of one point, which a line would not show
	Holes               []mark   // values that are not finite
	Bands               []band
	XTicks, YTicks      []tick
	Points, Attempts    int
}

type mark struct {
	X, Y  string
	Title string
}

type tick struct{ At, Label string }

type band struct {
	X, Width        string
	Severity, Title string
}

// scale maps steps to x and values to y.
type scale struct{ x0, x1, y0, y1 float64 }

func (s scale) x(step float64) float64 {
	return left + (step-s.x0)/math.Max(s.x1-s.x0, 1)*(width-left-right)
}

func (s scale) y(v float64) float64 {
	v = math.Min(math.Max(v, s.y0), s.y1)
	return height - bottom - (v-s.y0)/(s.y1-s.y0)*(height-top-bottom)
}

// scaleOf finds the ranges; a constant series gets room around it. The width of a range can be larger than a float64
// holds: then values beyond its middle half are drawn at the edge.
func scaleOf(points []*recorderv1.Point) scale {
	s := scale{x0: math.Inf(1), x1: math.Inf(-1), y0: math.Inf(1), y1: math.Inf(-1)}
	for _, p := range points {
		s.x0, s.x1 = math.Min(s.x0, float64(p.GetStep())), math.Max(s.x1, float64(p.GetStep()))
		if p.Value != nil {
			s.y0, s.y1 = math.Min(s.y0, p.GetValue()), math.Max(s.y1, p.GetValue())
		}
	}
	if math.IsInf(s.y0, 1) {
		s.y0, s.y1 = 0, 1 // nothing finite: an empty frame with marks
	}
	if s.y0 == s.y1 {
		room := math.Max(math.Abs(s.y0)*0.1, 0.1)
		s.y0, s.y1 = s.y0-room, s.y1+room
	}
	if math.IsInf(s.y1-s.y0, 0) {
		s.y0, s.y1 = math.Max(s.y0, -math.MaxFloat64/4), math.Min(s.y1, math.MaxFloat64/4)
	}
	return s
}

func newChart(title string, series *recorderv1.Series, incidents []Incident) chart {
	points := series.GetPoints()
	c := chart{Title: title, Metric: series.GetName(), Unit: series.GetUnit(), Points: len(points)}
	s := scaleOf(points)
	c.draw(points, s)
	for _, in := range incidents {
		if in.Metric == "" || in.Metric == c.Metric {
			c.Bands = append(c.Bands, bandOf(in, s))
		}
	}
	for i := range 5 {
		f := float64(i) / 4
		y, x := s.y0*(1-f)+s.y1*f, s.x0*(1-f)+s.x1*f
		c.YTicks = append(c.YTicks, tick{fixed(s.y(y)), strconv.FormatFloat(y, 'g', 3, 64)})
		c.XTicks = append(c.XTicks, tick{fixed(s.x(x)), strconv.FormatFloat(math.Round(x), 'f', 0, 64)})
	}
	c.XTicks = slices.CompactFunc(c.XTicks, func(a, b tick) bool { return a.Label == b.Label })
	return c
}

// draw breaks the line at every attempt and at every value that is not finite: a line across would invent values.
func (c *chart) draw(points []*recorderv1.Point, s scale) {
	var line []string
	flush := func() {
		if len(line) == 1 {
			x, y, _ := strings.Cut(line[0], ",")
			c.Dots = append(c.Dots, mark{X: x, Y: y})
		} else if len(line) > 1 {
			c.Lines = append(c.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	for i, p := range points {
		if i == 0 || p.GetAttempt() != points[i-1].GetAttempt() {
			flush()
			c.Attempts++
		}
		x := fixed(s.x(float64(p.GetStep())))
		if p.Value == nil {
			flush()
			word := strings.ToLower(strings.TrimPrefix(p.GetNonFinite().String(), "NON_FINITE_"))
			c.Holes = append(c.Holes, mark{X: x, Y: fixed(top), Title: fmt.Sprintf("step %d: %s", p.GetStep(), strings.ReplaceAll(word, "_", " "))})
			continue
		}
		line = append(line, x+","+fixed(s.y(p.GetValue())))
	}
	flush()
}

func bandOf(in Incident, s scale) band {
	end := s.x1
	until := "still open"
	if in.Resolved != nil {
		end, until = float64(*in.Resolved), fmt.Sprintf("resolved at step %d", *in.Resolved)
	}
	clamp := func(v float64) float64 { return math.Min(math.Max(v, left), width-right) }
	from := clamp(s.x(float64(in.Onset)))
	return band{X: fixed(from), Width: fixed(math.Max(clamp(s.x(end))-from, 2)), Severity: severity(in.Severity),
		Title: fmt.Sprintf("%s (%s), from step %d, %s", in.Kind, severity(in.Severity), in.Onset, until)}
}

func fixed(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }
