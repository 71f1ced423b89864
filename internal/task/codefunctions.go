package task

import (
	"fmt"
	"slices"
	"strings"
)

// codeFunctions asks for a small Python function from a specification. Its visible tests are few, so that a policy that
// learns them by heart is caught by the hidden ones.
type codeFunctions struct{}

func (codeFunctions) Name() string      { return "code_functions" }
func (codeFunctions) Version() string   { return "1" }
func (codeFunctions) Presets() []string { return []string{PresetDemo} }

// recipe is a family of functions over integers or lists of them.
type recipe struct {
	says string // the specification, with %d for the two constants
	body string // the Python expression or block
	list bool   // takes a list instead of an integer
	run  func(x int, xs []int, a, b int) string
}

// recipes come from easy to hard; a difficulty d draws from the first d+2.
func recipes() []recipe {
	num := func(n int) string { return fmt.Sprint(n) }
	list := func(xs []int) string {
		return "[" + strings.ReplaceAll(strings.Trim(fmt.Sprint(xs), "[]"), " ", ", ") + "]"
	}
	boolean := func(b bool) string { return map[bool]string{true: "True", false: "False"}[b] }
	return []recipe{
		{"returns x times %d plus %d", "return x * %d + %d", false, func(x int, _ []int, a, b int) string { return num(x*a + b) }},
		{"returns x minus %d, times %d", "return (x - %d) * %d", false, func(x int, _ []int, a, b int) string { return num((x - a) * b) }},
		{"returns whether x is between %d and %d plus ten, both included", "return %d <= x <= %d + 10", false, func(x int, _ []int, a, b int) string { return boolean(a <= x && x <= b+10) }},
		{"returns the sum of the list xs, times %d, plus %d", "return sum(xs) * %d + %d", true, func(_ int, xs []int, a, b int) string {
			s := 0
			for _, v := range xs {
				s += v
			}
			return num(s*a + b)
		}},
		{"returns the list of the values of xs above %d, each plus %d, in their order", "return [v + %[2]d for v in xs if v > %[1]d]", true, func(_ int, xs []int, a, b int) string {
			var out []int
			for _, v := range xs {
				if v > a {
					out = append(out, v+b)
				}
			}
			return list(out)
		}},
		{"returns x plus %d where x is even, and x minus %d where it is odd", "return x + %d if x %% 2 == 0 else x - %d", false, func(x int, _ []int, a, b int) string {
			if x%2 == 0 {
				return num(x + a)
			}
			return num(x - b)
		}},
		{"returns how many values of the list xs lie outside %d to %d plus ten, both included", "return sum(1 for v in xs if not %d <= v <= %d + 10)", true, func(_ int, xs []int, a, b int) string {
			n := 0
			for _, v := range xs {
				if v < a || v > b+10 {
					n++
				}
			}
			return num(n)
		}},
		{"returns the list xs sorted from high to low, without values below %d, each times %d", "return [v * %[2]d for v in sorted(xs, reverse=True) if v >= %[1]d]", true, func(_ int, xs []int, a, b int) string {
			var out []int
			for _, v := range slices.Backward(slices.Sorted(slices.Values(xs))) {
				if v >= a {
					out = append(out, v*b)
				}
			}
			return list(out)
		}},
		{"returns the largest of x, %d and %d; for a negative x it returns -1", "if x < 0:\n        return -1\n    return max(x, %d, %d)", false, func(x int, _ []int, a, b int) string {
			if x < 0 {
				return "-1"
			}
			return num(max(x, a, b))
		}},
		{"returns the running sums of the list xs, starting at %d, where a value above %d plus twenty counts as 0", "out, s = [], %d\n    for v in xs:\n        s += 0 if v > %d + 20 else v\n        out.append(s)\n    return out", true, func(_ int, xs []int, a, b int) string {
			var out []int
			s := a
			for _, v := range xs {
				if v <= b+20 {
					s += v
				}
				out = append(out, s)
			}
			return list(out)
		}},
	}
}

// demo is a formula told in words, for a function of one line.
func (p codeFunctions) demo(seed, index uint64) Instance {
	rng := stream(p.Name()+"/demo", p.Version(), seed, index)
	a, b := 2+rng.IntN(48), 1+rng.IntN(49)
	word, op, sign := "plus", "+", 1
	if rng.IntN(2) == 0 {
		word, op, sign = "minus", "-", -1
	}
	prompt := fmt.Sprintf("x times %d %s %d\n", a, word, b)
	solution := fmt.Sprintf("def f(x):\n return x*%d%s%d\n", a, op, b)
	at := func(x int) string { return fmt.Sprintf("assert f(%d) == %d", x, x*a+sign*b) }
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: solution, Completion: solution, Spec: "code:task=func,timeout=2",
		Row:   jsonText(map[string]any{"tests": []string{at(0), at(1), at(7)}, "hidden_tests": []string{at(-3), at(100)}, "entry_point": "f", "solution": solution}),
		Split: splitOf(p.Name() + ":" + prompt), Difficulty: 1,
	}
}

func (p codeFunctions) Instance(seed, index uint64, s Setting) (Instance, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return p.demo(seed, index), nil
	}
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(p.Name(), p.Version(), seed, index)
	all := recipes()
	r := all[rng.IntN(min(d+2, len(all)))]
	a, b := 2+rng.IntN(8), 2+rng.IntN(8)
	parameter := "x"
	if r.list {
		parameter = "xs"
	}
	prompt := fmt.Sprintf("Write a Python function f(%s) that %s.\n", parameter, fmt.Sprintf(r.says, a, b))
	solution := fmt.Sprintf("def f(%s):\n    %s\n", parameter, fmt.Sprintf(r.body, a, b))
	var tests []string
	for k := range 200 { // different arguments; the edges first
		x := rng.IntN(101) - 50
		if k < 4 {
			x = [...]int{0, -1, a, b}[k]
		}
		xs := make([]int, k%6)
		for i := range xs {
			xs[i] = rng.IntN(61) - 20
		}
		argument := fmt.Sprint(x)
		if r.list {
			argument = "[" + strings.ReplaceAll(strings.Trim(fmt.Sprint(xs), "[]"), " ", ", ") + "]"
		}
		t := fmt.Sprintf("assert f(%s) == %s", argument, r.run(x, xs, a, b))
		if !slices.Contains(tests, t) {
			if tests = append(tests, t); len(tests) == 12 {
				break
			}
		}
	}
	visible := []string{tests[2], tests[5]}
	hidden := slices.Concat(tests[:2], tests[3:5], tests[6:])
	prompt += "For example: " + strings.Join(visible, "; ") + "\n"
	return Instance{
		ID: contentID(p.Name(), p.Version(), prompt), Prompt: prompt, Reference: solution, Completion: "```python\n" + solution + "```", Spec: "code:task=func",
		Row:   jsonText(map[string]any{"tests": visible, "hidden_tests": hidden, "entry_point": "f", "solution": solution}),
		Split: splitOf(fmt.Sprintf("%s:%s:%d:%d", p.Name(), r.says, a, b)), Difficulty: d,
	}, nil
}

// GuessRate is the share of one recipe with one pair of constants.
func (p codeFunctions) GuessRate(s Setting) (float64, error) {
	if s == (Setting{Preset: PresetDemo}) {
		return 1.0 / 2 / 48 / 49, nil
	}
	d, err := plainDifficulty(p.Name(), s)
	if err != nil {
		return 0, err
	}
	return 1 / float64(min(d+2, len(recipes()))) / 64, nil
}

// Degenerate answers return constants, learn the visible tests, or do not answer.
func (codeFunctions) Degenerate(i Instance) []string {
	block := func(code string) string { return "```python\n" + code + "\n```" }
	return []string{"", " ", i.Prompt, block("def f(x):\n    return 0"), block("def f(*a):\n    return None"), block("def g(x):\n    return x"), block("def f(x):\n    raise SystemExit(0)"), block("f = 1")}
}
