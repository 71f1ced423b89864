package diagnose

import (
	"fmt"
	"strings"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

type trend struct {
	Verdict     string   `json:"verdict"`
	N           uint64   `json:"n"`
	Slope       *float64 `json:"slope,omitempty"`
	SlopeLow    *float64 `json:"slope_low,omitempty"`
	SlopeHigh   *float64 `json:"slope_high,omitempty"`
	P           *float64 `json:"p,omitempty"`
	TotalChange *float64 `json:"total_change,omitempty"`
}

type cause struct {
	Category    string  `json:"category,omitempty"` // a note has none
	Kind        string  `json:"kind"`
	Onset       *uint64 `json:"onset,omitempty"`
	Weight      float64 `json:"weight"`
	Detail      string  `json:"detail"`
	Incident    string  `json:"incident,omitempty"`
	ExplainedBy string  `json:"explained_by,omitempty"`
}

type dataRequest struct {
	Slices        []string `json:"slices"`
	RowsPerSlice  uint32   `json:"rows_per_slice"`
	FreshnessDays *float64 `json:"freshness_days,omitempty"`
	Verifier      string   `json:"verifier"`
}

type diagnosis struct {
	Category     string       `json:"category"`
	Decision     string       `json:"decision"`
	Confidence   *float64     `json:"confidence,omitempty"` // there is none of insufficient
	Action       string       `json:"action"`
	Causes       []cause      `json:"causes"`
	Trend        trend        `json:"trend"`
	HeldoutTrend trend        `json:"heldout_trend"`
	DataRequest  *dataRequest `json:"data_request,omitempty"`
	Missing      []string     `json:"missing"`
	Findings     []string     `json:"findings"`
}

func show(a *app.App, d *recorderv1.Diagnosis) error {
	if a.JSON {
		return a.PrintJSON(document(d))
	}
	head := d.GetCategory() + ": " + d.GetDecision()
	if d.GetCategory() != "insufficient" {
		head += fmt.Sprintf(" (confidence %.2f)", d.GetConfidence())
	}
	a.Print("%s", head)
	a.Print("  %s", d.GetAction())
	for _, c := range d.GetCauses() {
		since, why := "", ""
		if c.OnsetStep != nil {
			since = fmt.Sprintf(" since step %d", c.GetOnsetStep())
		}
		if c.GetExplainedBy() != "" {
			why = ", explained by " + c.GetExplainedBy()
		}
		a.Print("  %+5.2f %-10s %-20s%s: %s%s", c.GetWeight(), c.GetCategory(), c.GetKind(), since, c.GetDetail(), why)
	}
	t := d.GetTrend()
	if t.Slope != nil {
		a.Print("  reward %s: slope %.3g a step (95 %%: %.3g to %.3g), p %.2g, %d steps", t.GetVerdict(), t.GetSlope(), t.GetSlopeLow(), t.GetSlopeHigh(), t.GetP(), t.GetN())
	}
	if r := d.GetDataRequest(); r != nil {
		a.Print("  wanted: %d rows each of %s, accepted by %s", r.GetRowsPerSlice(), strings.Join(r.GetSlices(), "; "), r.GetVerifier())
	}
	for _, f := range d.GetFindings() {
		a.Print("  finding: %s", f)
	}
	if len(d.GetMissing()) > 0 {
		a.Print("  not known: %s", strings.Join(d.GetMissing(), ", "))
	}
	return nil
}

func document(d *recorderv1.Diagnosis) diagnosis {
	out := diagnosis{Category: d.GetCategory(), Decision: d.GetDecision(), Action: d.GetAction(), Causes: []cause{}, Trend: trendOf(d.GetTrend()), HeldoutTrend: trendOf(d.GetHeldoutTrend()),
		Missing: append([]string{}, d.GetMissing()...), Findings: append([]string{}, d.GetFindings()...)}
	if d.GetCategory() != "insufficient" {
		out.Confidence = &d.Confidence
	}
	for _, c := range d.GetCauses() {
		out.Causes = append(out.Causes, cause{c.GetCategory(), c.GetKind(), c.OnsetStep, c.GetWeight(), c.GetDetail(), c.GetIncident(), c.GetExplainedBy()})
	}
	if r := d.GetDataRequest(); r != nil {
		out.DataRequest = &dataRequest{r.GetSlices(), r.GetRowsPerSlice(), r.FreshnessDays, r.GetVerifier()}
	}
	return out
}

func trendOf(t *recorderv1.Trend) trend {
	return trend{t.GetVerdict(), t.GetN(), t.Slope, t.SlopeLow, t.SlopeHigh, t.P, t.TotalChange}
}
