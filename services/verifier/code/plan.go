package code

import (
	"github.com/provenir/provenir/services/verifier/code/asserts"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// plan is who judges: Go where all tests are in the literal subset, else a judge process.
type plan struct {
	suites []*asserts.Suite // in the order of the tests; nil for a judge process
	tests  []sandbox.Test   // visible, then hidden
}

func (o *options) plan(t *task) plan {
	p := plan{tests: append(append([]sandbox.Test{}, t.visible...), t.hidden...)}
	if o.task != "func" {
		return p
	}
	for _, test := range p.tests {
		s, err := asserts.Parse(test.Source)
		if err != nil || s.Check && s.CallsWith == "" && t.entry == "" || s.CallsWith == s.Candidate && s.Check || asserts.IsBuiltin(t.entry) {
			p.suites = nil
			return p
		}
		p.suites = append(p.suites, s)
	}
	return p
}

func (p *plan) names() []string {
	out := make([]string, len(p.tests))
	for i := range p.tests {
		out[i] = p.tests[i].Name
	}
	return out
}
