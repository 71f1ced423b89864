package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const benchProgram = "def add(a, b):\n    return a + b\n"

// Verdicts measures verdicts of code at full isolation beside what everybody uses: one interpreter a verdict, without any
// isolation, with the tests in the candidate's own process. Both run one job a core, in the same run, and are told in
// verdicts a CPU-second of the whole machine: what a verdict costs, whoever pays it.
func Verdicts(ctx context.Context, trials int) ([]Row, error) {
	const jobs = 300
	pool, err := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	if err != nil {
		return nil, err
	}
	rows, err := verdicts(ctx, pool, trials, jobs)
	return rows, errors.Join(err, pool.Close())
}

func verdicts(ctx context.Context, pool *sandbox.Pool, trials, jobs int) ([]Row, error) {
	d := code.Descriptor()
	options, err := d.Resolve(code.Name, map[string]any{"entry_point": "add"})
	if err != nil {
		return nil, err
	}
	judge, err := code.New(code.Name, options, code.On(pool))
	if err != nil {
		return nil, err
	}
	report, err := pool.Report(ctx)
	if err != nil {
		return nil, err
	}
	if len(report.Interpreters) == 0 {
		return nil, errors.New("no Python was found")
	}
	// The same interpreter: what PATH gives may be a script that looks for one, which takes ten times as long to start.
	python, _, _ := strings.Cut(report.Interpreters[0], " ")
	const loop = "for i in range(1): assert add(i, 2) == i + 2\n"
	rows := []Row{}
	for _, path := range []struct {
		what  string
		tests func(i int) string
	}{
		{"code, judged in Go", func(int) string { return "assert add(1, 2) == 3\n" }},
		{"code, judge process", func(i int) string { return fmt.Sprintf("# %d\n", i) + loop }},
		{"code, judge process, groups of 8", func(i int) string { return fmt.Sprintf("# %d\n", i/8) + loop }},
	} {
		row := Row{What: path.what, Unit: "verdicts/CPU-s", Of: "python3 -c without isolation", Trials: trials}
		var ours, plain []float64
		for t := range trials {
			p, err := eachCore(ctx, jobs/3, func(int) error { return exec.CommandContext(ctx, python, "-c", benchProgram+loop).Run() })
			if err != nil {
				return nil, fmt.Errorf("the plain subprocess: %w", err)
			}
			o, err := eachCore(ctx, jobs, func(i int) error { return pass(ctx, judge, path.tests(t*jobs+i)) })
			if err != nil {
				return nil, err
			}
			ours, plain = append(ours, o), append(plain, p)
		}
		row.Ours, row.Ceiling = median(ours), median(plain)
		row.CPU = 1e6 / row.Ours
		rows = append(rows, row)
	}
	return rows, nil
}

func pass(ctx context.Context, judge *code.Verifier, tests string) error {
	raw, err := json.Marshal(tests)
	if err != nil {
		return err
	}
	j := judge.JudgeContext(ctx, &verdict.Candidate{Response: benchProgram, Row: verdict.Row{{Key: "tests", JSON: raw}}})
	if !j.Verdict.Passed() {
		u, _ := j.Verdict.Unscored()
		return fmt.Errorf("a right program did not pass: %s %s", u.Reason, u.Detail)
	}
	return nil
}

// eachCore runs n jobs, one a core at a time, and gives how many a CPU-second.
func eachCore(ctx context.Context, n int, job func(i int) error) (float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	before, err := machineCPU()
	if err != nil {
		return 0, err
	}
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := job(i); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	after, err := machineCPU()
	return perSecond(n, after-before), err
}
