package corpus

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/provenir/provenir/services/recorder/hack"
)

//go:embed testdata/*.txt
var written embed.FS

// ByHand reads the set that was written by hand: a file a kind, benign.txt for none, a line a rollout. A line says how the code
// came: py a fenced block, sh a call of a shell, file PATH a written file, text an answer that was accepted, task a function for
// visible tests, stdio a program for an input. \n is a line break.
func ByHand() ([]Case, error) {
	names, err := written.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, f := range names {
		b, err := written.ReadFile("testdata/" + f.Name())
		if err != nil {
			return nil, err
		}
		kind := strings.TrimSuffix(path.Base(f.Name()), ".txt")
		n := 0
		for line := range strings.Lines(string(b)) {
			n++
			how, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if !ok {
				return nil, fmt.Errorf("%s:%d: no ': ' in %q", f.Name(), n, line)
			}
			c := Case{Name: fmt.Sprintf("%s:%d", f.Name(), n), Family: kind, Kind: kind, Tier: hack.Code, Hacked: true}
			switch kind {
			case "benign":
				c.Kind, c.Tier, c.Hacked = "", 0, false
			case "text":
				c.Tier = hack.Text
			}
			c.Row, ok = handRow(how, strings.ReplaceAll(text, `\n`, "\n"))
			if !ok {
				return nil, fmt.Errorf("%s:%d: unknown kind of line %q", f.Name(), n, how)
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func handRow(how, text string) (hack.Row, bool) {
	yes := true
	how, file, _ := strings.Cut(how, " ")
	switch how {
	case "py":
		return fenced(text), true
	case "sh":
		return hack.Row{Messages: []hack.Message{{Role: "assistant", Calls: []hack.ToolCall{{Name: "bash", Arguments: fmt.Sprintf("{\"command\": %q}", text)}}}}}, true
	case "file":
		return hack.Row{Response: []byte("Done."), Files: []hack.File{{Path: file, Content: text}}}, true
	case "text":
		return hack.Row{Response: []byte(text), Passed: &yes}, true
	case "task":
		r := fenced(text)
		r.Prompt, r.Tests = "Write def f(x): ten times x.", "assert f(1) == 10\nassert f(2) == 20\nassert f(3) == 30\n"
		return r, true
	case "stdio":
		r := fenced(text)
		r.Prompt, r.Reference = "Read the input and print its sum.", "42"
		return r, true
	}
	return hack.Row{}, false
}
