package harden

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// Config says how hard to try.
type Config struct {
	Verifier  string // its name, which chooses the family
	Stage     string // production, prod and release, in any case, make breaches block
	MaxFPR    float64
	Seed      uint64
	Mutations int
	Progress  func(done, total uint64, phase string) // nil is not called
}

// Least is how many probes of each kind a gate needs.
const Least = 20

// ErrNoProbes is the answer for nothing to try with: a verifier that was not tried has no score.
var ErrNoProbes = errors.New("no probes; give responses with should_pass, or rows with solution")

// Judge gives a verdict.
type Judge func(ctx context.Context, c *verdict.Candidate) verdict.Verdict

// modes are those of the report, in its order. Those that block do so in a production stage.
var modes = []Mode{
	{Name: "accuracy", Blocking: true}, {Name: "matrix", Blocking: true}, {Name: "mutation", Blocking: true}, {Name: "consistency"}, {Name: "invariance"},
	{Name: "sensitivity", Blocking: true}, {Name: "gameability", Blocking: true}, {Name: "monotonicity"}, {Name: "boundary", Blocking: true},
}

type run struct {
	cfg    Config
	judge  Judge
	report *Report
	done   uint64
	total  uint64
}

// Check tries a verifier. The error is ErrNoProbes or the context's.
func Check(ctx context.Context, cfg Config, probes []Probe, judge Judge) (*Report, error) {
	if len(probes) == 0 {
		return nil, ErrNoProbes
	}
	if cfg.MaxFPR == 0 {
		cfg.MaxFPR = 0.01
	}
	if cfg.Mutations == 0 {
		cfg.Mutations = 1000
	}
	r := &run{cfg: cfg, judge: judge, report: &Report{Modes: slices.Clone(modes)}}
	var right, wrong []Probe
	for _, p := range probes {
		if p.ShouldPass {
			right = append(right, p)
		} else {
			wrong = append(wrong, p)
		}
	}
	r.total = uint64(2*len(probes) + 2*cfg.Mutations + len(edges()) + 3*len(right))
	for _, phase := range []func(context.Context) error{
		func(ctx context.Context) error { return r.labelled(ctx, probes) },
		func(ctx context.Context) error { return r.crossed(ctx, right) },
		func(ctx context.Context) error { return r.matrix(ctx, right) },
		func(ctx context.Context) error { return r.mutations(ctx, right) },
		func(ctx context.Context) error { return r.edges(ctx, probes[0]) },
	} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
	}
	for i := range r.report.Modes {
		h := &r.report.Modes[i].Held
		*h = RateOf(h.Hits, h.Trials)
	}
	r.decide(len(right), len(wrong))
	return r.report, nil
}

// ask judges a response against a row.
func (r *run) ask(ctx context.Context, phase string, row verdict.Row, response string) (verdict.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return verdict.Verdict{}, err
	}
	v := r.judge(ctx, &verdict.Candidate{Response: response, Row: row})
	if r.done++; r.cfg.Progress != nil && r.done%64 == 0 {
		r.cfg.Progress(r.done, max(r.total, r.done), phase)
	}
	return v, ctx.Err()
}

func said(v *verdict.Verdict) string {
	if s, ok := v.Scored(); ok {
		return fmt.Sprintf("scored %v, %s", s.Reward, s.Reason)
	}
	u, _ := v.Unscored()
	return "unscored, " + u.Reason.String()
}

func failure(p Probe, response, wanted string, v *verdict.Verdict) Failure {
	const most = 300
	cut := func(s string) string {
		if s = verdict.Printable(s); len(s) > most {
			s = strings.ToValidUTF8(s[:most], "") + "…"
		}
		return s
	}
	return Failure{Probe: p.Label, Response: cut(response), Reference: cut(p.Reference), Wanted: wanted, Got: said(v)}
}

// labelled holds the probes against their labels, twice.
func (r *run) labelled(ctx context.Context, probes []Probe) error {
	for _, p := range probes {
		v, err := r.ask(ctx, "accuracy", p.Row, p.Response)
		if err != nil {
			return err
		}
		again, err := r.ask(ctx, "consistency", p.Row, p.Response)
		if err != nil {
			return err
		}
		wanted := "fail"
		if p.ShouldPass {
			wanted = "pass"
		}
		r.report.mode("accuracy").count(v.Passed() == p.ShouldPass, failure(p, p.Response, wanted, &v))
		r.report.mode("consistency").count(said(&v) == said(&again), failure(p, p.Response, "the same twice", &again))
		if p.ShouldPass {
			r.report.FalseNegatives.Trials++
			if !v.Passed() {
				r.report.FalseNegatives.Hits++
			}
		} else {
			r.negative(v.Passed())
		}
	}
	return nil
}

func (r *run) negative(passed bool) {
	r.report.FalsePositives.Trials++
	if passed {
		r.report.FalsePositives.Hits++
	}
}

// crossed tries right answers against the references of other tasks: each must fail, or the verifier does not look at the
// reference.
func (r *run) crossed(ctx context.Context, right []Probe) error {
	for i, p := range right {
		for step := 1; step < min(len(right), 4); step++ {
			other := right[(i+step)%len(right)]
			if p.Reference == "" || other.Reference == "" || p.Reference == other.Reference {
				continue
			}
			// Two references may be equal to the verifier in other words; then crossing says nothing.
			same, err := r.ask(ctx, "sensitivity", p.Row, other.Response)
			if err != nil {
				return err
			}
			back, err := r.ask(ctx, "sensitivity", other.Row, p.Response)
			if err != nil {
				return err
			}
			own, err := r.ask(ctx, "sensitivity", with(p.Row, other.Reference), p.Response)
			if err != nil {
				return err
			}
			if same.Passed() && back.Passed() && numerically(p.Reference, other.Reference) {
				continue
			}
			r.report.mode("sensitivity").count(!own.Passed(), failure(p, p.Response, "fail against "+other.Reference, &own))
			r.negative(own.Passed())
		}
	}
	return nil
}

// numerically says whether two references are the same number in other words.
func numerically(a, b string) bool {
	x, y := near(a), near(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// mutations edits right answers that the verifier passes: a changed answer must fail, a benign edit must not.
func (r *run) mutations(ctx context.Context, right []Probe) error {
	rng := newRand(r.cfg.Seed)
	if len(right) == 0 {
		return nil
	}
	for i := range r.cfg.Mutations {
		p := right[i%len(right)]
		first, err := r.ask(ctx, "mutation", p.Row, p.Response)
		if err != nil {
			return err
		}
		s, _ := first.Scored()
		if !s.Passed {
			continue // accuracy counts it; a mutation of what fails says nothing
		}
		gentle := benign(rng, p.Response)
		v, err := r.ask(ctx, "mutation", p.Row, gentle)
		if err != nil {
			return err
		}
		r.report.mode("invariance").count(v.Passed(), failure(p, gentle, "pass", &v))
		worse, ok := changed(rng, p.Response)
		if !ok || numerically(p.Response, worse) || codeLike(r.cfg.Verifier) {
			continue // a number in a program is not its answer
		}
		if v, err = r.ask(ctx, "mutation", p.Row, worse); err != nil {
			return err
		}
		r.report.mode("mutation").count(!v.Passed(), failure(p, worse, "fail", &v))
		after, _ := v.Scored()
		r.report.mode("monotonicity").count(after.Reward <= s.Reward, failure(p, worse, "no more than the right answer", &v))
	}
	return nil
}

func codeLike(verifier string) bool {
	return verifier == "code" || verifier == "starlark" || verifier == "regex"
}

// edges tries inputs that break readers.
func (r *run) edges(ctx context.Context, p Probe) error {
	inputs := edges()
	names := make([]string, 0, len(inputs))
	for name := range inputs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v, err := r.ask(ctx, "boundary", p.Row, inputs[name])
		if err != nil {
			return err
		}
		u, unscored := v.Unscored()
		ok := !v.Passed() && !(unscored && u.Reason == verdict.JudgeError)
		r.report.mode("boundary").count(ok, failure(Probe{Label: name, Reference: p.Reference}, inputs[name], "a verdict that does not pass", &v))
	}
	return nil
}
