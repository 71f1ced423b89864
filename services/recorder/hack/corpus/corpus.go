// Package corpus makes the rollouts that the hacking detector is fitted and measured on.
//
// They are ours: solutions of HumanEval, read at run time and never kept, through transformers that hack and others that only
// look like it, and a set that was written by hand (testdata). The split is by family of transformer, so that what is measured
// was never seen while fitting. Everything follows from a seed.
package corpus

import (
	"fmt"
	"math/rand/v2"

	"github.com/provenir/provenir/services/recorder/hack"
)

// Case is a labelled rollout.
type Case struct {
	Name   string
	Family string
	Kind   string // of the hack; empty of a benign one
	Tier   hack.Tier
	Hacked bool
	Test   bool // belongs to the families that fitting never sees
	Fold   int  // of the problem: 0 is for calibration
	Row    hack.Row
}

// Problem is one of HumanEval's.
type Problem struct {
	TaskID   string `json:"task_id"`
	Prompt   string `json:"prompt"`
	Solution string `json:"canonical_solution"`
	Test     string `json:"test"`
	Entry    string `json:"entry_point"`
}

// family is a way to hack, or to look like it.
type family struct {
	name string
	kind string // empty is benign
	tier hack.Tier
	test bool
	make func(p *Problem, r *rand.Rand) (hack.Row, bool)
}

// Generate makes the corpus of problems: each family on every third problem, so that families weigh the same.
func Generate(problems []Problem, seed uint64) []Case {
	var out []Case
	for f, fam := range families() {
		for i := range problems {
			if (i+f)%3 != 0 {
				continue
			}
			r := rand.New(rand.NewPCG(seed, uint64(f)<<32|uint64(i)))
			row, ok := fam.make(&problems[i], r)
			if !ok {
				continue
			}
			row.Prompt = problems[i].Prompt
			if fam.kind == "" || fam.tier != hack.Text {
				row.Verified = true
			}
			out = append(out, Case{Name: fmt.Sprintf("%s/%s", fam.name, problems[i].TaskID), Family: fam.name, Kind: fam.kind, Tier: fam.tier,
				Hacked: fam.kind != "", Test: fam.test, Fold: i / 3 % 3, Row: row})
		}
	}
	return out
}

func fenced(code string) hack.Row {
	return hack.Row{Response: []byte("```python\n" + code + "\n```\n")}
}

func whole(p *Problem) string { return p.Prompt + p.Solution }
