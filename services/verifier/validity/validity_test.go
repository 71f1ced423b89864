package validity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// logged are rollouts of tasks whose answer is a number: of each group half are right, with wordings of various length.
func logged(t testing.TB, tasks, each int) []Rollout {
	t.Helper()
	var out []Rollout
	for task := range tasks {
		for k := range each {
			answer := 100 + task*3
			if (k*7+task)%2 == 1 {
				answer++
			}
			r, err := Read(fmt.Appendf(nil, `{"task":"t%d","reference":"%d","response":"%s #### %d","heldout":%v}`, task, 100+task*3,
				strings.Repeat("hm ", (k*5+task*3)%11), answer, answer == 100+task*3))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, r)
		}
	}
	return out
}

func exact(_ context.Context, c *verdict.Candidate) verdict.Verdict {
	raw, _ := c.Row.Get("reference")
	if strings.HasSuffix(c.Response, "#### "+strings.Trim(string(raw), `"`)) {
		return verdict.Pass("x", "equal")
	}
	return verdict.Fail("x", "different")
}

func TestARewardThatIsBoundIsValid(t *testing.T) {
	r, err := Check(t.Context(), Config{Seed: 1}, logged(t, 30, 8), exact)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != "valid" || *r.Binding < 0.4 || *r.BindingP > 0.01 || r.Scored != 240 || *r.Controls[0].AUC != 1 || len(r.Controls) != 6 || *r.Surface > 0.2 {
		t.Errorf("%s %v binding %v p %v surface %v %+v", r.Verdict, r.Reasons, *r.Binding, *r.BindingP, *r.Surface, r.Controls)
	}
}

func TestSpuriousRewards(t *testing.T) {
	tests := []struct {
		name  string
		judge Judge
	}{
		{"length", func(_ context.Context, c *verdict.Candidate) verdict.Verdict {
			return verdict.Score("x", verdict.Scored{Reward: math.Min(float64(len(c.Response))/4096, 1), Reason: "long"}, verdict.Range{})
		}},
		{"format and luck", func(_ context.Context, c *verdict.Candidate) verdict.Verdict {
			if len(c.Response)%2 == 0 {
				return verdict.Pass("x", "even")
			}
			return verdict.Fail("x", "odd")
		}},
		{"nearly the length, a little of the task", func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
			v := exact(ctx, c)
			bonus := 0.0
			if v.Passed() {
				bonus = 0.0005
			}
			return verdict.Score("x", verdict.Scored{Reward: math.Min(float64(len(c.Response))/1000, 0.9) + bonus, Reason: "both"}, verdict.Range{})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Check(t.Context(), Config{Seed: 1}, logged(t, 30, 8), tt.judge)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != "spurious" || len(r.Reasons) == 0 {
				t.Errorf("%s %v %+v", r.Verdict, r.Reasons, r.Controls)
			}
		})
	}
}

func TestNothingToCompareIsNoProof(t *testing.T) {
	constant := func(context.Context, *verdict.Candidate) verdict.Verdict { return verdict.Pass("x", "yes") }
	unscored := func(context.Context, *verdict.Candidate) verdict.Verdict {
		return verdict.Unscore("x", verdict.BadReference, "no")
	}
	for name, try := range map[string]func() (*Report, error){
		"one task":           func() (*Report, error) { return Check(t.Context(), Config{}, logged(t, 1, 8), exact) },
		"groups of one":      func() (*Report, error) { return Check(t.Context(), Config{}, logged(t, 30, 1), exact) },
		"a constant":         func() (*Report, error) { return Check(t.Context(), Config{}, logged(t, 30, 8), constant) },
		"all unscored":       func() (*Report, error) { return Check(t.Context(), Config{}, logged(t, 30, 8), unscored) },
		"nothing was logged": func() (*Report, error) { return Check(t.Context(), Config{}, nil, exact) },
	} {
		if r, err := try(); !errors.Is(err, ErrNoControls) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestWithoutLabelsItIsSaid(t *testing.T) {
	rollouts := logged(t, 30, 8)
	for i := range rollouts {
		rollouts[i].HeldOut = nil
	}
	r, err := Check(t.Context(), Config{Seed: 2}, rollouts, exact)
	if err != nil || r.Controls[0].AUC != nil || len(r.Reasons) != 1 || !strings.Contains(r.Reasons[0], "not checked") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTheSameSeedGivesTheSameReport(t *testing.T) {
	one, err1 := Check(t.Context(), Config{Seed: 3}, logged(t, 12, 4), exact)
	two, err2 := Check(t.Context(), Config{Seed: 3}, logged(t, 12, 4), exact)
	if err1 != nil || err2 != nil || *one.BindingP != *two.BindingP || *one.Controls[1].Correlation != *two.Controls[1].Correlation {
		t.Errorf("%v %v %+v %+v", err1, err2, one, two)
	}
}

func TestRead(t *testing.T) {
	for name, raw := range map[string]string{
		"no task": `{"response":"x"}`, "no response": `{"task":"t"}`, "heldout of 2": `{"task":"t","response":"x","heldout":2}`, "heldout NaN": `{"task":"t","response":"x","heldout":NaN}`,
		"a key twice": `{"task":"t","task":"u","response":"x"}`,
	} {
		if r, err := Read([]byte(raw)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	r, err := Read([]byte(`{"task":"t","response":"","heldout":null,"reference":"1","id":"a"}`))
	if err != nil || r.HeldOut != nil || len(r.Row) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Ranks with ties and a textbook Spearman.
func TestSpearman(t *testing.T) {
	rho, ok := spearman([]float64{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}, []float64{7, 27, 2, 50, 28, 29, 20, 12, 6, 17})
	if !ok || math.Abs(rho-(-0.1757575758)) > 1e-9 {
		t.Errorf("%v", rho)
	}
	if _, ok := spearman([]float64{1, 1, 1}, []float64{1, 2, 3}); ok {
		t.Error("a side without spread has a correlation")
	}
}
