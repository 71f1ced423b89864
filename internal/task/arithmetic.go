package task

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// arithmetic asks for the value of an integer expression.
type arithmetic struct{}

// arithmeticSpec takes only what stands behind ####, so a policy that babbles numbers is not paid for one of them, and
// only a number that is worked out: mathematically 47+25 is the answer too, and an echo is what a policy learns first.
const arithmeticSpec = "math:profile=final_answer,form=number"

// PresetDemo is two numbers of two digits, added or subtracted, with demonstrations of which half show the working.
// It is what a 0.2-million-parameter policy learns in about two minutes on two cores.
const PresetDemo = "demo"

// level is what a difficulty means.
type level struct {
	digits, terms int
	ops           string
	guess         float64 // measured over 200,000 instances, rounded up; a test measures again
}

var levels = [11]level{
	1:  {1, 2, "+", 0.12},
	2:  {1, 2, "+-", 0.09},
	3:  {2, 2, "+-", 0.008},
	4:  {2, 3, "+-", 0.006},
	5:  {2, 3, "+-*", 0.005},
	6:  {3, 3, "+-*", 0.0008},
	7:  {3, 4, "+-*", 0.0008},
	8:  {4, 4, "+-*", 0.0003},
	9:  {5, 5, "+-*", 0.0003},
	10: {6, 6, "+-*", 0.0003},
}

func (arithmetic) Name() string      { return "arithmetic" }
func (arithmetic) Version() string   { return "1" }
func (arithmetic) Presets() []string { return []string{PresetDemo, PresetHedge} }

// difficulty resolves a setting; the presets have the numbers of level 3.
func (a arithmetic) difficulty(s Setting) (int, error) {
	switch {
	case s.Preset != "" && s.Preset != PresetDemo && s.Preset != PresetHedge:
		return 0, &SettingError{Pack: a.Name(), Field: "preset", Value: s.Preset, Allowed: "none, " + strings.Join(a.Presets(), ", ")}
	case s.Preset != "" && s.Difficulty != 0 && s.Difficulty != 3:
		return 0, &SettingError{Pack: a.Name(), Field: "difficulty", Value: strconv.Itoa(s.Difficulty), Allowed: "3 or none with preset " + s.Preset}
	case s.Preset != "":
		return 3, nil
	case s.Difficulty == 0:
		return 1, nil
	case s.Difficulty < 1 || s.Difficulty > 10:
		return 0, &SettingError{Pack: a.Name(), Field: "difficulty", Value: strconv.Itoa(s.Difficulty), Allowed: "1 to 10"}
	default:
		return s.Difficulty, nil
	}
}

func (a arithmetic) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := a.difficulty(s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(a.Name(), a.Version(), seed, index)
	var e *expression
	var working string
	if s.Preset != "" {
		e, working = demo(rng)
	} else {
		e = levels[d].draw(rng)
	}
	var steps []string
	value := e.evaluate(&steps).String()
	if s.Preset == "" && rng.IntN(2) == 0 {
		working = " " + strings.Join(steps, ", ")
	}
	prompt, answer := fmt.Sprintf("Q: %s=?\nA:", e.text()), value
	if s.Preset == PresetHedge {
		answer = hedged(rng, value)
	}
	return Instance{
		ID: contentID(a.Name(), a.Version(), prompt), Prompt: prompt, Reference: value,
		Completion: working + " #### " + answer, Spec: arithmeticSpec,
		Split: splitOf(a.Name() + ":" + e.canonical()), Difficulty: d,
	}, nil
}

func (a arithmetic) GuessRate(s Setting) (float64, error) {
	d, err := a.difficulty(s)
	if err != nil {
		return 0, err
	}
	if s.Preset != "" {
		return demoGuess, nil
	}
	return levels[d].guess, nil
}

// draw makes a random tree with the level's number of leaves.
func (l level) draw(rng *rand.Rand) *expression {
	return l.tree(rng, l.terms)
}

func (l level) tree(rng *rand.Rand, leaves int) *expression {
	if leaves == 1 {
		lo, hi := int64(0), int64(10)
		for range l.digits - 1 {
			lo, hi = hi, hi*10
		}
		return number(lo + rng.Int64N(hi-lo))
	}
	left := 1 + rng.IntN(leaves-1)
	op := l.ops[rng.IntN(len(l.ops))]
	return &expression{op: op, left: l.tree(rng, left), right: l.tree(rng, leaves-left)}
}
