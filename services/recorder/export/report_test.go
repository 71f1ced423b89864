package export

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func series(name string, xs ...float64) *recorderv1.Series {
	s := &recorderv1.Series{Name: name}
	for i, x := range xs {
		p := &recorderv1.Point{Step: uint64(i)}
		if math.IsNaN(x) {
			p.NonFinite = corev1.NonFinite_NON_FINITE_NAN
		} else {
			p.Value = &x
		}
		s.Points = append(s.Points, p)
	}
	return s
}

// Every text of a run is the policy's or the engine's: none of it may become markup.
func TestReportEscapes(t *testing.T) {
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `</title><svg onload=alert(1)>`,
		`</style><script>x</script>`, `javascript:alert(1)`, `{{.Run}}`, "\u202e<b>", `]]><x>`, `&lt;script&gt;`,
	} {
		r := run()
		r.ID, r.Summary.Verdict, r.Summary.Unchecked = evil, evil, []string{evil}
		r.Summary.Metrics = []*recorderv1.LastMetric{{Metric: &corev1.Metric{Canonical: evil, Unit: evil}}}
		r.Incidents[0].Kind, r.Incidents[0].Detail, r.Incidents[0].Metric = evil, evil, evil
		r.Incidents = append(r.Incidents, Incident{Kind: evil, Detail: evil}) // of no metric: a band on every plot
		r.Logs = []Log{{Name: evil, Root: evil, Signature: evil, Cosigned: evil}}
		r.Charts = []*recorderv1.Series{series("reward.mean", 1, 2, 3)}
		r.Charts[0].Unit = evil
		r.Tracked = &recorderv1.TrackedRun{Name: evil, Sdk: evil, Method: evil, Model: evil, Error: evil, State: recorderv1.TrackedState_TRACKED_STATE_BROKEN}
		text := string(write(t, "html", r))
		for _, tag := range []string{"<script", "<img", "<x>", "<b>{", "onerror=alert(1)>", "<svg onload"} {
			if strings.Contains(strings.ToLower(text), tag) {
				t.Errorf("%q gets in as %q", evil, tag)
			}
		}
		if n := strings.Count(text, "<style>"); n != 1 || strings.Count(text, "<svg") != 1 || strings.Count(text, "<title>") != 2 {
			t.Errorf("%q changes the shape: %d styles, %d plots, %d titles", evil, n, strings.Count(text, "<svg"), strings.Count(text, "<title>"))
		}
		for _, a := range regexp.MustCompile(`(?i)\s(on\w+|src|href|action|formaction|xlink:href)\s*=`).FindAllString(tagsOf(text), -1) {
			t.Errorf("%q leaves the attribute %q", evil, a)
		}
	}
}

// tagsOf keeps what stands inside of tags, without the attributes' quoted values.
func tagsOf(text string) string {
	var out strings.Builder
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(text, -1) {
		out.WriteString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`))
	}
	return out.String()
}

// A file that a person may mail asks nobody for anything.
func TestReportNeedsNoNetwork(t *testing.T) {
	r := run()
	r.Charts = []*recorderv1.Series{series("reward.mean", 1, 2)}
	text := string(write(t, "html", r))
	for _, word := range []string{"http://", "https://", "url(", "@import", "<link", "<script", "src="} {
		if strings.Contains(text, word) {
			t.Errorf("the report has %q", word)
		}
	}
	if !strings.Contains(text, `default-src 'none'`) {
		t.Error("the report has no policy")
	}
}

func TestReportSaysWhatIsMissing(t *testing.T) {
	r := run()
	r.Charts = []*recorderv1.Series{series("reward.mean", 0.5, math.NaN(), 0.5, 0.5)}
	text := string(write(t, "html", r))
	for _, want := range []string{
		"Held-out score: no step of the run has heldout.mean", "Entropy: no step of the run has", "no log of the run has a signed one yet",
		"not sealed", "Passport: unchecked", "<code>hack_rate</code>", "values that are not finite", "KL rose",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	r = &Run{ID: "x", Summary: &recorderv1.RunSummary{Complete: true}}
	if text := string(write(t, "html", r)); !strings.Contains(text, "not known") || strings.Contains(text, "<svg") {
		t.Errorf("an empty run:\n%s", text)
	}
}

// Plots stay inside their box and stay well formed for series of any shape.
func TestPlots(t *testing.T) {
	for name, s := range map[string]*recorderv1.Series{
		"one point": series("reward.mean", 3), "constant": series("reward.mean", 2, 2, 2), "zero": series("reward.mean", 0, 0),
		"huge": series("reward.mean", -math.MaxFloat64, math.MaxFloat64), "tiny": series("reward.mean", 5e-324, 0), "all missing": series("reward.mean", math.NaN(), math.NaN()),
		"hole": series("reward.mean", 1, math.NaN(), 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			c := newChart("t", s, []Incident{{Kind: "k", Onset: 100}, {Kind: "k", Metric: "other"}})
			if len(c.Bands) != 1 {
				t.Errorf("bands %v", c.Bands)
			}
			r := run()
			r.Charts = []*recorderv1.Series{s}
			text := string(write(t, "html", r))
			svg := text[strings.Index(text, "<svg"):strings.Index(text, "</svg>")] + "</svg>"
			if strings.Contains(svg, "NaN\"") || strings.Contains(svg, "Inf") {
				t.Errorf("a place is no number: %s", svg)
			}
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range regexp.MustCompile(`c?[xy]="([-0-9.e+]+)"`).FindAllStringSubmatch(svg, -1) {
				if len(m[1]) > 6 || strings.HasPrefix(m[1], "-") {
					t.Errorf("%s is outside of the box", m[0])
				}
			}
		})
	}
	c := newChart("t", series("reward.mean", 1, math.NaN(), 2, 3), nil)
	if len(c.Lines) != 1 || len(c.Dots) != 1 || len(c.Holes) != 1 || len(strings.Fields(c.Lines[0])) != 2 {
		t.Errorf("a line goes over a hole: %+v", c)
	}
}

// The report of a tracked run says whose word it is and how the run stands; that of another says nothing of trackers.
func TestReportOfATrackedRun(t *testing.T) {
	for want, x := range map[string]*recorderv1.TrackedRun{
		"It is being written.":                                              {State: recorderv1.TrackedState_TRACKED_STATE_WRITING},
		"It has no end, and nobody writes it.":                              {State: recorderv1.TrackedState_TRACKED_STATE_SILENT},
		"It came to its end by its tracker&#39;s word.":                     {State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED},
		"It came to its end, and not all of it could be recorded.":          {State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED, Partial: true},
		"It ended before its work was done (ValueError).":                   {State: recorderv1.TrackedState_TRACKED_STATE_BROKEN, Error: "ValueError"},
		"It ended before its work was done.":                                {State: recorderv1.TrackedState_TRACKED_STATE_BROKEN},
		"How it ended was erased or is damaged.":                            {State: recorderv1.TrackedState_TRACKED_STATE_UNREADABLE},
		"Method: grpo, as the caller said. Model: qwen, as the caller said": {Method: "grpo", Model: "qwen"},
		"<h1>Run my loop <code>":                                            {Name: "my loop"},
	} {
		r := run()
		r.Tracked = x
		text := string(write(t, "html", r))
		if !strings.Contains(text, want) || !strings.Contains(text, "Recorded by a tracker") {
			t.Errorf("%q is missing", want)
		}
	}
	if text := string(write(t, "html", run())); strings.Contains(text, "tracker") {
		t.Error("a run of the mesh is said to be a tracker's")
	}
}
