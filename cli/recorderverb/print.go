package recorderverb

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/enginelog"
)

// printer shows what comes: a line for each incident that opens or escalates, and the verdict. Rows that the file could
// not give are told by the sender, so it may be called by two at once.
type printer struct {
	a       *app.App
	least   corev1.Severity
	mu      sync.Mutex
	wrong   int
	verdict *recorderv1.LogVerdict
}

func upper(s string) string { return strings.ToUpper(s) }

func severity(s corev1.Severity) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
}

type lineAnomaly struct {
	Step     uint64         `json:"step"`
	Kind     string         `json:"kind"`
	Severity string         `json:"severity"`
	Event    string         `json:"event"`
	Detail   string         `json:"detail"`
	Metrics  map[string]any `json:"metrics,omitempty"`
	Incident string         `json:"incident"`
	Onset    uint64         `json:"onset"`
	Attempt  uint32         `json:"attempt"`
}

type lineError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Line    uint64 `json:"line"`
		Key     string `json:"key,omitempty"`
	} `json:"error"`
}

func (p *printer) line(v any, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.a.JSON {
		p.a.Print("%s", text)
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.a.Out, "%s\n", b)
	return err
}

// bad is a row that could not be used.
func (p *printer) bad(line uint64, why string) {
	_ = p.problem(&recorderv1.RowProblem{Line: line, Code: "bad_row", Detail: why}) // what cannot be printed here fails at the verdict too
}

func (p *printer) problem(x *recorderv1.RowProblem) error {
	if x.GetCode() != "duplicate" && x.GetCode() != "non_finite" {
		p.mu.Lock()
		p.wrong++
		p.mu.Unlock()
	}
	var l lineError
	l.Error.Code, l.Error.Message, l.Error.Line, l.Error.Key = x.GetCode(), x.GetDetail(), x.GetLine(), x.GetKey()
	text := fmt.Sprintf("line %d: %s", x.GetLine(), x.GetCode())
	if x.GetKey() != "" {
		text += " " + x.GetKey()
	}
	return p.line(l, text+": "+x.GetDetail())
}

func (p *printer) print(m *recorderv1.AnalyzeLogResponse) error {
	switch {
	case m.GetProblem() != nil:
		return p.problem(m.GetProblem())
	case m.GetAnomaly() != nil:
		x := m.GetAnomaly()
		event := strings.ToLower(strings.TrimPrefix(x.GetEvent().String(), "INCIDENT_EVENT_"))
		l := lineAnomaly{Step: x.GetStep(), Kind: x.GetKind(), Severity: severity(x.GetSeverity()), Event: event, Detail: x.GetDetail(),
			Incident: x.GetIncident(), Onset: x.GetOnsetStep(), Attempt: x.GetAttempt()}
		for _, e := range x.GetEvidence() {
			if e.Value != nil && e.GetMetric() != "" {
				if l.Metrics == nil {
					l.Metrics = map[string]any{}
				}
				l.Metrics[e.GetMetric()] = enginelog.Number(e.GetValue())
			}
		}
		return p.line(l, fmt.Sprintf("%-8s step %-6d since %-6d %-20s %s", l.Severity, l.Step, l.Onset, l.Kind, l.Detail))
	}
	p.verdict = m.GetVerdict()
	return p.line(verdictLine(p.verdict), verdictText(p.verdict))
}

// exit follows the verdict: 1 for what was found, 3 where nothing can be said, 2 for rows that could not be used.
func (p *printer) exit(keepGoing bool, asked *recorderv1.LogHeader) error {
	v := p.verdict
	switch {
	case v == nil:
		return errors.New("the recorder sent no verdict")
	case v.GetWorst() >= p.least:
		return app.Fails(fmt.Errorf("the log is %s: the worst incident is %s", v.GetVerdict(), severity(v.GetWorst())))
	case p.wrong > 0 && !keepGoing:
		return app.Usage(fmt.Errorf("%d rows or values could not be used (--keep-going accepts that)", p.wrong))
	case asked.GetHeldout() != "" && v.GetRoles().GetHeldout() == "":
		return app.Unchecked(fmt.Errorf("--heldout: no row has the key %q, so the two rewards were not compared", asked.GetHeldout()))
	case asked.GetProxy() != "" && v.GetRoles().GetProxy() == "":
		return app.Unchecked(fmt.Errorf("--proxy: no row has the key %q, so the two rewards were not compared", asked.GetProxy()))
	case v.GetVerdict() == "insufficient":
		return app.Unchecked(fmt.Errorf("%d steps with what was read say nothing: at least 5 are needed, with a metric that is known", v.GetSteps()))
	}
	return nil
}
