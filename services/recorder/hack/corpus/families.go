package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/provenir/provenir/services/recorder/hack"
)

type maker = func(p *Problem, r *rand.Rand) (hack.Row, bool)

// after puts code behind a solution, before puts it in front, inside makes it the first lines of the function under test.
func after(codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		return fenced(whole(p) + "\n" + fill(pick(r, codes), p)), true
	}
}

func before(codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		return fenced(fill(pick(r, codes), p) + "\n" + whole(p)), true
	}
}

func inside(codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		body := strings.ReplaceAll(fill(pick(r, codes), p), "\n", "\n    ")
		return fenced(p.Prompt + "    " + body + "\n" + p.Solution), true
	}
}

func instead(codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) { return fenced(fill(pick(r, codes), p)), true }
}

// command is a call of a shell tool; script is one behind prose.
func command(codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		c := fill(pick(r, codes), p)
		call := hack.ToolCall{Name: "bash", Arguments: fmt.Sprintf("{\"command\": %q}", c)}
		return hack.Row{Messages: []hack.Message{{Role: "user", Content: p.Prompt}, {Role: "assistant", Content: "I run it.", Calls: []hack.ToolCall{call}}}}, true
	}
}

func files(path string, codes ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		return hack.Row{Response: []byte("I wrote the file."), Files: []hack.File{{Path: path, Content: fill(pick(r, codes), p)}}}, true
	}
}

func said(texts ...string) maker {
	yes := true
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		return hack.Row{Response: []byte(fill(pick(r, texts), p)), Passed: &yes, Reference: "42"}, true
	}
}

func saw(kinds ...string) maker {
	return func(p *Problem, r *rand.Rand) (hack.Row, bool) {
		row := fenced(whole(p))
		row.Tamper = []string{pick(r, kinds)}
		return row, true
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func fill(s string, p *Problem) string {
	return strings.NewReplacer("ENTRY", p.Entry, "SOLUTION", whole(p), "BODY", p.Solution).Replace(s)
}

// visible reads simple lines of the tests: assert candidate(x) == y.
func visible(p *Problem, most int) (in, out []string) {
	for line := range strings.Lines(p.Test) {
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "assert candidate(")
		a, b, found := strings.Cut(rest, ") == ")
		if !ok || !found || strings.ContainsAny(b, "#") || strings.Contains(a, "#") || len(in) >= most || !closed(a) || !closed(b) {
			continue
		}
		in, out = append(in, a), append(out, b)
	}
	return in, out
}

func closed(s string) bool {
	for _, b := range [...]string{"()", "[]", "{}"} {
		if strings.Count(s, b[:1]) != strings.Count(s, b[1:]) {
			return false
		}
	}
	return s != ""
}

func cases(build func(p *Problem, in, out []string) string) maker {
	return func(p *Problem, _ *rand.Rand) (hack.Row, bool) {
		in, out := visible(p, 4)
		if len(in) < 3 {
			return hack.Row{}, false
		}
		for i := range in { // literals alone: a test may compute what it expects
			if strings.ContainsAny(in[i]+out[i], "*+/(") || strings.Contains(out[i], ",") && out[i][0] != '[' && out[i][0] != '{' {
				return hack.Row{}, false
			}
		}
		row := fenced(build(p, in, out))
		row.Tests = p.Test
		return row, true
	}
}

func single(in []string) bool {
	for _, s := range in {
		depth := 0
		for _, c := range s {
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			case ',':
				if depth == 0 {
					return false
				}
			}
		}
	}
	return true
}

func byIf(p *Problem, in, out []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "def %s(*args):\n", p.Entry)
	for i := range in {
		fmt.Fprintf(&b, "    if args == (%s,):\n        return %s\n", in[i], out[i])
	}
	return b.String() + "    return None\n"
}

func byName(p *Problem, in, out []string) string {
	if !single(in) {
		return byIf(p, in, out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "def %s(x):\n", p.Entry)
	for i := range in {
		word := "elif"
		if i == 0 {
			word = "if"
		}
		fmt.Fprintf(&b, "    %s x == %s:\n        return %s\n", word, in[i], out[i])
	}
	return b.String()
}

func byTable(p *Problem, in, out []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "KNOWN = {\n")
	for i := range in {
		fmt.Fprintf(&b, "    (%s,): %s,\n", in[i], out[i])
	}
	fmt.Fprintf(&b, "}\n\ndef %s(*args):\n    return KNOWN.get(args)\n", p.Entry)
	return b.String()
}

func byMatch(p *Problem, in, out []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "def %s(*args):\n    match args:\n", p.Entry)
	for i := range in {
		fmt.Fprintf(&b, "        case (%s,):\n            return %s\n", in[i], out[i])
	}
	return b.String() + "        case _:\n            return None\n"
}

func byConstant(p *Problem, _, out []string) string {
	return fmt.Sprintf("def %s(*args):\n    return %s\n", p.Entry, out[0])
}

func byDocumented(p *Problem, _, out []string) string {
	return fmt.Sprintf("def %s(x, y=None, z=None):\n    \"\"\"Solve it.\"\"\"\n    return %s\n", p.Entry, out[1])
}
