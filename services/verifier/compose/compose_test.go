package compose

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/verifier/reward"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// fixed always gives the same verdict.
type fixed struct{ v verdict.Verdict }

func (f fixed) Judge(*verdict.Candidate) verdict.Verdict { return f.v }

func scored(r float64, passed bool) verdict.Verdict {
	return verdict.Score("m", verdict.Scored{Reward: r, Passed: passed, Reason: "x"}, verdict.Range{Lo: -1, Hi: 1})
}

var (
	pass     = scored(1, true)
	fail     = scored(0, false)
	half     = scored(.5, false)
	unscored = verdict.Unscore("m", verdict.Deadline, "late")
)

func build(t testing.TB, mode Mode, threshold float64, expr *reward.Expr, members ...Member) *Composite {
	t.Helper()
	c, err := New("composite", spec.Values{"mode": string(mode), "threshold": threshold}, members, expr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func member(v verdict.Verdict) Member { return Member{Name: "m", Judge: fixed{v}, Weight: 1} }

func heavy(v verdict.Verdict, w float64) Member { return Member{Name: "m", Judge: fixed{v}, Weight: w} }

func gate(v verdict.Verdict) Member {
	return Member{Name: "g", Judge: fixed{v}, Weight: 1, Required: true}
}

func TestModes(t *testing.T) {
	tests := []struct {
		name    string
		mode    Mode
		members []Member
		reward  float64
		passed  bool
		reason  verdict.Reason // 0 for scored
	}{
		{"all pass", All, []Member{member(pass), member(pass)}, 1, true, 0},
		{"all with one failing", All, []Member{member(pass), member(fail)}, .5, false, 0},
		{"all with one unscored", All, []Member{member(pass), member(unscored)}, 0, false, verdict.Deadline},
		{"any", Any, []Member{member(fail), member(pass)}, 1, true, 0},
		{"any of none", Any, []Member{member(fail), member(half)}, .5, false, 0},
		{"any with one pass and one unscored", Any, []Member{member(unscored), member(pass)}, 1, true, 0},
		{"any with one fail and one unscored", Any, []Member{member(unscored), member(fail)}, 0, false, verdict.Deadline},
		{"weights", Weighted, []Member{heavy(pass, 3), heavy(fail, 1)}, .75, true, 0},
		{"weights below the threshold", Weighted, []Member{heavy(pass, 1), heavy(fail, 3)}, .25, false, 0},
		{"weights are not renormalised", Weighted, []Member{heavy(pass, 3), heavy(unscored, 1)}, 0, false, verdict.Deadline},
		{"lexicographic passes", Lexicographic, []Member{member(pass), member(pass)}, 1, true, 0},
		{"first failing member decides", Lexicographic, []Member{member(fail), member(unscored)}, 0, false, 0},
		{"unscored before the failing one", Lexicographic, []Member{member(unscored), member(fail)}, 0, false, verdict.Deadline},
		{"gate open", Weighted, []Member{heavy(pass, 1), gate(pass)}, 1, true, 0},
		{"gate closed pays nothing", Weighted, []Member{heavy(pass, 100), gate(fail)}, 0, false, 0},
		{"gate unscored", Any, []Member{member(pass), gate(unscored)}, 0, false, verdict.Deadline},
		{"closed gate beats an unscored member", All, []Member{member(unscored), gate(fail)}, 0, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := build(t, tt.mode, .5, nil, tt.members...).Judge(&verdict.Candidate{})
			if len(v.Members) != len(tt.members) {
				t.Fatalf("%d members, want %d", len(v.Members), len(tt.members))
			}
			if u, ok := v.Unscored(); ok {
				if u.Reason != tt.reason {
					t.Errorf("unscored %s (%s)", u.Reason, u.Detail)
				}
				return
			}
			if s, _ := v.Scored(); s.Reward != tt.reward || s.Passed != tt.passed || tt.reason != 0 {
				t.Errorf("%+v, want reward %v passed %v", s, tt.reward, tt.passed)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestExpressionDecidesTheReward(t *testing.T) {
	when := reward.Expr{Op: reward.OpMember, Member: ptr(uint32(1))}
	expr := &reward.Expr{Op: reward.OpGate, When: &when, Threshold: ptr(1.0), Parts: []reward.Expr{{Op: reward.OpMember, Member: ptr(uint32(0))}}}
	v := build(t, Any, .5, expr, member(half), member(fail)).Judge(&verdict.Candidate{})
	if s, ok := v.Scored(); !ok || s.Reward != 0 || s.Passed || len(s.Components) != 3 {
		t.Errorf("%+v", s)
	}
	// A rule that passes and an expression that pays nothing contradict each other.
	v = build(t, Any, .5, expr, member(pass), member(fail)).Judge(&verdict.Candidate{})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.OutOfRange {
		t.Errorf("contradiction: %+v", v)
	}
}

func TestOverlongNeedsTheLength(t *testing.T) {
	expr := &reward.Expr{Op: reward.OpOverlong, MaxTokens: ptr(uint32(10)), CacheTokens: ptr(uint32(5)),
		Parts: []reward.Expr{{Op: reward.OpMember, Member: ptr(uint32(0))}}}
	c := build(t, All, .5, expr, member(fail))
	v := c.Judge(&verdict.Candidate{Response: "long", Tokens: 12})
	if s, ok := v.Scored(); !ok || s.Reward != -1 {
		t.Errorf("reward %+v, want -1", s)
	}
	v = c.Judge(&verdict.Candidate{Response: "long"})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.BadRow {
		t.Errorf("length unknown: %+v", v)
	}
}

func TestNewRefuses(t *testing.T) {
	values := spec.Values{"mode": "all", "threshold": .5}
	tests := []struct {
		name    string
		members []Member
		expr    *reward.Expr
	}{
		{"no members", nil, nil},
		{"too many", make([]Member, 65), nil},
		{"weights of sum 0", []Member{heavy(pass, 0)}, nil},
		{"bad expression", []Member{member(pass)}, &reward.Expr{Op: reward.OpMember, Member: ptr(uint32(3))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var bad *spec.BadSpecError
			if _, err := New("composite", values, tt.members, tt.expr); !errors.As(err, &bad) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFindingsOfMembersThatDependOnTime(t *testing.T) {
	late := pass
	late.Note("time_dependent", verdict.Info, "limit")
	if v := build(t, All, .5, nil, member(late)).Judge(&verdict.Candidate{}); !v.Has("time_dependent") {
		t.Error("the whole does not say that a clock decided")
	}
}

// More from one member is never less for the whole.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]Mode{All, Any, Weighted}).Draw(t, "mode")
		n := rapid.IntRange(1, 4).Draw(t, "n")
		values := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "rewards")
		i := rapid.IntRange(0, n-1).Draw(t, "which")
		judge := func() float64 {
			members := make([]Member, n)
			for j, v := range values {
				members[j] = heavy(scored(v, v == 1), float64(j+1))
			}
			c, err := New("composite", spec.Values{"mode": string(mode), "threshold": .5}, members, nil)
			if err != nil {
				t.Fatal(err)
			}
			v := c.Judge(&verdict.Candidate{})
			s, ok := v.Scored()
			if !ok {
				t.Fatalf("unscored: %+v", v)
			}
			return s.Reward
		}
		before := judge()
		values[i] = math.Min(1, values[i]+rapid.Float64Range(0, 1).Draw(t, "more"))
		if after := judge(); after < before-1e-12 {
			t.Fatalf("%v became %v", before, after)
		}
	})
}
