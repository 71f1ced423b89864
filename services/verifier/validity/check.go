package validity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/provenir/provenir/services/verifier/control"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Limits of the rule.
const (
	maxP           = 0.01
	maxCorrelation = 0.8
	bootstrap      = 1000
	leastTasks     = 5
)

// ErrNoControls is the answer where nothing can be compared: too few tasks, no group of two, or a reward without spread. It
// is no proof of anything.
var ErrNoControls = errors.New("nothing to compare the reward with")

// Config says how to check.
type Config struct {
	Seed         uint64
	Permutations int
	Progress     func(done, total uint64, phase string)
}

// Judge gives a verdict.
type Judge func(ctx context.Context, c *verdict.Candidate) verdict.Verdict

// Control is a reward that knows nothing of the task, against the real one.
type Control struct {
	Name        string
	Correlation *float64
	AUC         *float64
	AUCLow      *float64 // lower end of the interval of the real AUC less this one
}

// Report is what was found.
type Report struct {
	Verdict  string // valid or spurious; too little to compare is an error
	Reasons  []string
	Binding  *float64
	BindingP *float64
	Surface  *float64
	Controls []Control
	Scored   uint64
	Unscored map[string]uint64
}

// Check judges the rollouts, with their own rows and with those of other tasks.
func Check(ctx context.Context, cfg Config, rollouts []Rollout, judge Judge) (*Report, error) {
	if cfg.Permutations == 0 {
		cfg.Permutations = 1000
	}
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x76616c6964))
	rep := &Report{Unscored: map[string]uint64{}}
	rows := rowsOf(rollouts)
	if len(rows) < leastTasks {
		return nil, fmt.Errorf("%w: %d tasks, at least %d are needed", ErrNoControls, len(rows), leastTasks)
	}
	other := derange(rng, rows)
	var kept []Rollout
	var real, shuffled []float64
	for n, r := range rollouts {
		if cfg.Progress != nil && n%64 == 0 {
			cfg.Progress(uint64(n), uint64(len(rollouts)), "judge")
		}
		own, ok, err := reward(ctx, judge, r, r.Row, rep)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		theirs, ok, err := reward(ctx, judge, r, other[r.Task], nil)
		if err != nil {
			return nil, err
		}
		if !ok {
			theirs = 0 // a row that does not fit this response pays nothing
		}
		kept, real, shuffled = append(kept, r), append(real, own), append(shuffled, theirs)
	}
	rep.Scored = uint64(len(kept))
	groups := groupsOf(kept)
	if len(groups) < leastTasks {
		return nil, fmt.Errorf("%w: %d tasks have two scored rollouts, at least %d are needed", ErrNoControls, len(groups), leastTasks)
	}
	if slices.Max(real) == slices.Min(real) {
		return nil, fmt.Errorf("%w: every rollout has reward %v", ErrNoControls, real[0])
	}
	rep.bind(rng, real, shuffled, groups, cfg.Permutations)
	length, form := surface(kept)
	if share, ok := explained(real, length, form, groups); ok {
		rep.Surface = &share
	}
	rep.compare(rng, kept, groups, real, []named{
		{"random", random(rng, len(kept))}, {"constant", make([]float64, len(kept))}, {"format_only", form}, {"length_only", length}, {"shuffled", shuffled},
	})
	rep.decide()
	return rep, nil
}

func reward(ctx context.Context, judge Judge, r Rollout, row verdict.Row, rep *Report) (float64, bool, error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	v := judge(ctx, &verdict.Candidate{Response: r.Response, Row: row})
	s, ok := v.Scored()
	if u, unscored := v.Unscored(); unscored && rep != nil {
		rep.Unscored[u.Reason.String()]++
	}
	return s.Reward, ok, ctx.Err()
}

// rowsOf gives each task's row.
func rowsOf(rollouts []Rollout) map[string]verdict.Row {
	rows := map[string]verdict.Row{}
	for _, r := range rollouts {
		if _, known := rows[r.Task]; !known {
			rows[r.Task] = r.Row
		}
	}
	return rows
}

// derange gives each task the row of another one, in an order that the seed draws.
func derange(rng *rand.Rand, rows map[string]verdict.Row) map[string]verdict.Row {
	tasks := make([]string, 0, len(rows))
	for t := range rows {
		tasks = append(tasks, t)
	}
	slices.Sort(tasks)
	rng.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
	out := make(map[string]verdict.Row, len(tasks))
	for i, t := range tasks {
		out[t] = rows[tasks[(i+1)%len(tasks)]]
	}
	return out
}

// groupsOf are the tasks with two rollouts or more, in the order of their first.
func groupsOf(rollouts []Rollout) []group {
	at := map[string]int{}
	var all []group
	for i, r := range rollouts {
		k, known := at[r.Task]
		if !known {
			k = len(all)
			at[r.Task] = k
			all = append(all, nil)
		}
		all[k] = append(all[k], i)
	}
	return slices.DeleteFunc(all, func(g group) bool { return len(g) < 2 })
}

// bind compares the reward with that for another task's row, task by task.
func (rep *Report) bind(rng *rand.Rand, real, shuffled []float64, groups []group, permutations int) {
	diffs := make([]float64, len(groups))
	mean := 0.0
	for k, g := range groups {
		for _, i := range g {
			diffs[k] += (real[i] - shuffled[i]) / float64(len(g))
		}
		mean += diffs[k] / float64(len(groups))
	}
	p := signFlip(rng, diffs, permutations)
	rep.Binding, rep.BindingP = &mean, &p
}

type named struct {
	name    string
	rewards []float64
}

func random(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = rng.Float64()
	}
	return out
}

// surface is what anybody sees of a response without the task: how long it is, and whether it has a form that graders
// look for.
func surface(rollouts []Rollout) (length, form []float64) {
	for _, r := range rollouts {
		length, form = append(length, control.Length(r.Response)), append(form, control.Form(r.Response))
	}
	return length, form
}

func (rep *Report) compare(rng *rand.Rand, rollouts []Rollout, groups []group, real []float64, controls []named) {
	labels := make([]*float64, len(rollouts))
	for i := range rollouts {
		labels[i] = rollouts[i].HeldOut
	}
	realPairs := pairs(real, labels, groups)
	first := Control{Name: "real"}
	if len(realPairs) > 0 {
		a := auc(realPairs)
		first.AUC = &a
	}
	rep.Controls = append(rep.Controls, first)
	adv := advantages(real, groups)
	for _, c := range controls {
		out := Control{Name: c.name}
		if rho, ok := spearman(adv, advantages(c.rewards, groups)); ok {
			out.Correlation = &rho
		}
		if theirs := pairs(c.rewards, labels, groups); len(theirs) > 0 {
			a, low := auc(theirs), lowerDifference(rng, realPairs, theirs, bootstrap)
			out.AUC, out.AUCLow = &a, &low
		}
		rep.Controls = append(rep.Controls, out)
	}
}

func (rep *Report) decide() {
	rep.Verdict = "valid"
	spurious := func(format string, args ...any) {
		rep.Verdict = "spurious"
		rep.Reasons = append(rep.Reasons, fmt.Sprintf(format, args...))
	}
	if !(*rep.Binding > 0 && *rep.BindingP < maxP) {
		spurious("the reward is not bound to its task: with another task's row it changes by %.4f (p %.3g)", *rep.Binding, *rep.BindingP)
	}
	for _, c := range rep.Controls[1:] {
		if c.Correlation != nil && *c.Correlation > maxCorrelation {
			spurious("%s gives nearly the same advantages (Spearman %.3f)", c.Name, *c.Correlation)
		}
		if c.AUCLow != nil && *c.AUCLow <= 0 {
			spurious("%s separates right from wrong as well (AUC %.3f against %.3f)", c.Name, *c.AUC, *rep.Controls[0].AUC)
		}
	}
	if rep.Controls[0].AUC == nil {
		rep.Reasons = append(rep.Reasons, "no rollouts have heldout labels of both kinds within a task: whether the reward finds the right ones was not checked")
	}
}
