package timcheck

import (
	"math"
	"strconv"
	"strings"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

type stats struct {
	Tokens        uint64   `json:"tokens"`
	NonFinite     uint64   `json:"non_finite"`
	K1            *float64 `json:"k1,omitempty"`
	K3            *float64 `json:"k3,omitempty"`
	MeanAbs       *float64 `json:"mean_abs,omitempty"`
	MaxAbs        *float64 `json:"max_abs,omitempty"`
	MultProbError *float64 `json:"mult_prob_error,omitempty"`
	ISMean        *float64 `json:"is_mean,omitempty"`
	ISMax         *float64 `json:"is_max,omitempty"`
	ISStd         *float64 `json:"is_std,omitempty"`
	ESS           *float64 `json:"ess,omitempty"`
	Chi2Token     *float64 `json:"chi2_token,omitempty"`
	Chi2Seq       *float64 `json:"chi2_seq,omitempty"`
	Pearson       *float64 `json:"pearson,omitempty"`
	Overflow      []string `json:"overflow,omitempty"`
}

type line struct {
	ID         string   `json:"id"`
	Mismatched bool     `json:"mismatched"`
	Reasons    []string `json:"reasons"`
	Stats      *stats   `json:"stats"`
}

type badLine struct {
	ID    string   `json:"id,omitempty"`
	Error *problem `json:"error"`
}

type quantiles struct {
	P50 any `json:"p50"`
	P90 any `json:"p90"`
	P99 any `json:"p99"`
	Max any `json:"max"`
}

type gate struct {
	MaxKL float64 `json:"max_kl"`
	P99   any     `json:"p99"`
	Open  bool    `json:"open"`
	Stage string  `json:"stage,omitempty"`
}

type lineSummary struct {
	Rows       uint64               `json:"rows"`
	Mismatched uint64               `json:"mismatched"`
	Errors     uint64               `json:"errors"`
	Rate       *float64             `json:"rate,omitempty"` // of nothing there is none
	RateLow    *float64             `json:"rate_low,omitempty"`
	RateHigh   *float64             `json:"rate_high,omitempty"`
	Estimates  string               `json:"estimates,omitempty"`
	Pooled     *stats               `json:"pooled"`
	Quantiles  map[string]quantiles `json:"quantiles,omitempty"`
	Gate       *gate                `json:"gate,omitempty"`
}

// printer writes a line for each row.
type printer struct {
	a     *app.App
	wrong uint64
}

func (p *printer) bad(id string, why *problem) error {
	p.wrong++
	if p.a.JSON {
		return p.a.PrintJSON(badLine{id, why})
	}
	p.a.Print("line %d: %s: %s", why.Line, why.Code, why.Message)
	return nil
}

func (p *printer) row(at place, r *recorderv1.MismatchResult) error {
	if r.GetError() != "" {
		return p.bad(at.id, &problem{"bad_row", r.GetError(), at.line})
	}
	if p.a.JSON {
		return p.a.PrintJSON(line{r.GetId(), r.GetMismatched(), append([]string{}, r.GetReasons()...), statsOf(r.GetStats())})
	}
	word := "matches"
	if r.GetMismatched() {
		word = "MISMATCHED"
	}
	s := r.GetStats()
	p.a.Print("%-20s %-10s %5d tokens  k3 %-10s mean |d| %-10s %s", r.GetId(), word, s.GetTokens(), shown(s.K3), shown(s.MeanAbs), strings.Join(r.GetReasons(), ", "))
	return nil
}

func statsOf(s *recorderv1.MismatchStats) *stats {
	return &stats{s.GetTokens(), s.GetNonFinite(), s.K1, s.K3, s.MeanAbs, s.MaxAbs, s.MultProbError, s.IsMean, s.IsMax, s.IsStd, s.Ess, s.Chi2Token, s.Chi2Seq, s.Pearson, s.GetOverflow()}
}

func (p *printer) total(s *recorderv1.MismatchSummary, o *options, closed bool) error {
	if p.a.JSON {
		return p.a.PrintJSON(map[string]any{"summary": summaryOf(s, o, p.wrong, closed)})
	}
	if s.GetRows() == 0 {
		p.a.Print("no row was compared, %d could not be used", p.wrong)
		return nil
	}
	p.a.Print("%d of %d rows mismatched (%.1f %%, 95 %%: %.1f to %.1f), %d could not be used", s.GetMismatched(), s.GetRows(), 100*s.GetRate(), 100*s.GetRateLow(), 100*s.GetRateHigh(), p.wrong)
	q, all := s.GetQuantiles()["k3"], s.GetPooled()
	p.a.Print("%s in nats: k1 %s, k3 %s over %d tokens; k3 of rows p50 %.4g, p90 %.4g, p99 %.4g, max %.4g", s.GetEstimates(), shown(all.K1), shown(all.K3), all.GetTokens(), q.GetP50(), q.GetP90(), q.GetP99(), q.GetMax())
	return nil
}

func summaryOf(s *recorderv1.MismatchSummary, o *options, wrong uint64, closed bool) lineSummary {
	out := lineSummary{Rows: s.GetRows(), Mismatched: s.GetMismatched(), Errors: wrong, Estimates: s.GetEstimates(), Pooled: statsOf(s.GetPooled())}
	if s.GetRows() == 0 {
		return out
	}
	out.Rate, out.RateLow, out.RateHigh = &s.Rate, &s.RateLow, &s.RateHigh
	out.Quantiles = map[string]quantiles{}
	for name, q := range s.GetQuantiles() {
		out.Quantiles[name] = quantiles{number(q.GetP50()), number(q.GetP90()), number(q.GetP99()), number(q.GetMax())}
	}
	if o.gated {
		out.Gate = &gate{o.maxKL, out.Quantiles["k3"].P99, !closed, o.stage}
	}
	return out
}

// number writes what JSON has no number for as a text.
func number(x float64) any {
	if math.IsInf(x, 1) {
		return "Infinity"
	}
	return x
}

func shown(x *float64) string {
	if x == nil {
		return "overflow"
	}
	return strconv.FormatFloat(*x, 'g', 4, 64)
}
