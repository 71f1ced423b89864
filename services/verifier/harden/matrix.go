package harden

import "context"

// matrixRows is how many rows the matrix is made for: cells are many, and a hack works on all rows or on few.
const matrixRows = 8

// matrix tries every hack class in every grammar and surrounding. Classes that need no knowledge of the reference are what
// gameability counts: they are what a policy finds first.
func (r *run) matrix(ctx context.Context, right []Probe) error {
	f := familyOf(r.cfg.Verifier)
	rows := right[:min(len(right), matrixRows)]
	for i, p := range rows {
		other := ""
		if o := right[(i+1)%len(right)]; o.Reference != p.Reference && !numerically(o.Reference, p.Reference) {
			other = o.Reference
		}
		for _, c := range f.classes {
			for _, answer := range c.make(p, other) {
				if answer == p.Reference || answer == p.Response || numerically(answer, p.Reference) {
					continue // it is the answer of this row by chance
				}
				if err := r.cell(ctx, p, c, f, answer); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *run) cell(ctx context.Context, p Probe, c class, f family, answer string) error {
	grammars := f.grammars
	if c.raw {
		grammars = []grammar{{"as it is", func(s string) string { return s }}}
	}
	for _, g := range grammars {
		for _, s := range surroundings {
			response := s.wrap(g.wrap(answer))
			v, err := r.ask(ctx, "matrix", p.Row, response)
			if err != nil {
				return err
			}
			at := Probe{Label: c.name + " × " + g.name + " × " + s.name, Reference: p.Reference}
			r.report.mode("matrix").count(!v.Passed(), failure(at, response, "fail", &v))
			r.negative(v.Passed())
			if c.name == "empty" || c.name == "echo" || c.name == "constant" || c.name == "injected instruction" {
				r.report.mode("gameability").count(!v.Passed(), failure(at, response, "fail", &v))
			}
		}
	}
	return nil
}
