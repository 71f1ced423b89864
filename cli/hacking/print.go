package hacking

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

type evidence struct {
	Quote string `json:"quote"`
	Start uint32 `json:"start"`
	End   uint32 `json:"end"`
}

type lineFinding struct {
	Kind     string    `json:"kind"`
	Severity string    `json:"severity"`
	Tier     string    `json:"tier"`
	Detail   string    `json:"detail"`
	Where    string    `json:"where,omitempty"`
	Evidence *evidence `json:"evidence,omitempty"`
}

type line struct {
	ID        string        `json:"id"`
	Hacked    bool          `json:"hacked"`
	Score     float64       `json:"score"`
	Findings  []lineFinding `json:"findings"`
	Unchecked []string      `json:"unchecked,omitempty"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

type badLine struct {
	ID    string  `json:"id,omitempty"`
	Error problem `json:"error"`
}

type lineSummary struct {
	Summary struct {
		Inspected uint64            `json:"inspected"`
		Hacked    uint64            `json:"hacked"`
		Errors    uint64            `json:"errors"`
		Rate      *float64          `json:"rate,omitempty"` // of nothing there is none
		RateLow   *float64          `json:"rate_low,omitempty"`
		RateHigh  *float64          `json:"rate_high,omitempty"`
		Kinds     map[string]uint64 `json:"kinds,omitempty"`
		Batch     []lineFinding     `json:"batch,omitempty"`
	} `json:"summary"`
}

// place is a row of the file that waits for its line: bad is set where it was never sent.
type place struct {
	line int
	bad  *badLine
}

// printer puts results and bad rows into the order of the file.
type printer struct {
	a       *app.App
	mu      sync.Mutex
	places  []place
	wrong   uint64
	summary *recorderv1.TrajectorySummary
}

func newPrinter(a *app.App) *printer { return &printer{a: a} }

// expect says that a row was sent; refuse that it was not. The sender calls them in the order of the file.
func (p *printer) expect(line int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, place{line: line})
}

func (p *printer) refuse(id, code, text string, line int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = append(p.places, place{line, &badLine{id, problem{code, text, line}}})
	p.wrong++
}

func (p *printer) take(m *recorderv1.AnalyzeTrajectoriesResponse) error {
	for _, r := range m.GetResults() {
		at, err := p.next()
		if err != nil {
			return err
		}
		if r.GetError() != "" {
			p.mu.Lock()
			p.wrong++
			p.mu.Unlock()
			if err := p.bad(&badLine{r.GetId(), problem{"bad_row", r.GetError(), at}}); err != nil {
				return err
			}
			continue
		}
		if err := p.row(r); err != nil {
			return err
		}
	}
	if m.GetSummary() != nil {
		p.summary = m.GetSummary()
	}
	return nil
}

// next prints the bad rows before the next result, and gives that one's line.
func (p *printer) next() (int, error) {
	for {
		p.mu.Lock()
		if len(p.places) == 0 {
			p.mu.Unlock()
			return 0, errors.New("the recorder sent more results than rows")
		}
		x := p.places[0]
		p.places = p.places[1:]
		p.mu.Unlock()
		if x.bad == nil {
			return x.line, nil
		}
		if err := p.bad(x.bad); err != nil {
			return 0, err
		}
	}
}

func (p *printer) bad(b *badLine) error {
	if p.a.JSON {
		return p.a.PrintJSON(b)
	}
	p.a.Print("line %d: %s: %s", b.Error.Line, b.Error.Code, b.Error.Message)
	return nil
}

func (p *printer) row(r *recorderv1.TrajectoryResult) error {
	out := line{ID: r.GetId(), Hacked: r.GetHacked(), Score: r.GetScore(), Findings: findings(r.GetFindings()), Unchecked: r.GetUnchecked()}
	if p.a.JSON {
		return p.a.PrintJSON(out)
	}
	word := "not hacked"
	if out.Hacked {
		word = "HACKED"
	}
	p.a.Print("%-20s %-10s %.3f", out.ID, word, out.Score)
	for _, f := range out.Findings {
		p.a.Print("    %s %-22s %-8s %s", f.Tier, f.Kind, f.Severity, f.Detail)
	}
	if len(out.Unchecked) > 0 {
		p.a.Print("    not checked: %s", strings.Join(out.Unchecked, ", "))
	}
	return nil
}

func findings(list []*recorderv1.HackFinding) []lineFinding {
	out := make([]lineFinding, 0, len(list))
	for _, f := range list {
		l := lineFinding{Kind: f.GetKind(), Severity: strings.ToLower(strings.TrimPrefix(f.GetSeverity().String(), "SEVERITY_")), Tier: f.GetTier(), Detail: f.GetDetail(), Where: f.GetWhere()}
		if q := f.GetQuote(); q != nil {
			l.Evidence = &evidence{q.GetText(), q.GetStart(), q.GetEnd()}
		}
		out = append(out, l)
	}
	return out
}

// finish prints the summary and gives the exit: 1 for hacked rows, 2 for bad ones, 3 where nothing could be looked at.
func (p *printer) finish(keepGoing bool) error {
	for _, x := range p.places {
		if x.bad == nil {
			return errors.New("the recorder sent fewer results than rows")
		}
		if err := p.bad(x.bad); err != nil {
			return err
		}
	}
	s := p.summary
	if s == nil {
		return errors.New("the recorder sent no summary")
	}
	if err := p.total(s); err != nil {
		return err
	}
	switch {
	case s.GetHacked() > 0:
		return hackedError(s.GetHacked(), s.GetInspected())
	case p.wrong > 0 && !keepGoing:
		return app.Usage(fmt.Errorf("%d row(s) could not be used; their lines say why (--keep-going accepts that)", p.wrong))
	case s.GetInspected() == 0:
		return app.Unchecked(errors.New("no row was looked at"))
	}
	return nil
}

func (p *printer) total(s *recorderv1.TrajectorySummary) error {
	if p.a.JSON {
		var l lineSummary
		x := &l.Summary
		x.Inspected, x.Hacked, x.Errors, x.Kinds, x.Batch = s.GetInspected(), s.GetHacked(), p.wrong, s.GetKinds(), findings(s.GetBatch())
		if x.Inspected > 0 {
			x.Rate, x.RateLow, x.RateHigh = &s.Rate, &s.RateLow, &s.RateHigh
		}
		return p.a.PrintJSON(l)
	}
	for _, f := range s.GetBatch() {
		p.a.Print("%s: %s: %s", f.GetWhere(), f.GetKind(), f.GetDetail())
	}
	if s.GetInspected() == 0 {
		p.a.Print("no row was looked at, %d could not be used", p.wrong)
		return nil
	}
	p.a.Print("%d of %d rows hacked (%.1f %%, 95 %%: %.1f to %.1f), %d could not be used", s.GetHacked(), s.GetInspected(), 100*s.GetRate(), 100*s.GetRateLow(), 100*s.GetRateHigh(), p.wrong)
	return nil
}
