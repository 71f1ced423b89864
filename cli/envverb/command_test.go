package envverb

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// run calls the verb as a person does, and gives its exit code.
func run(t *testing.T, input string, args ...string) (code int, out, problem string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app.App{In: strings.NewReader(input), Out: &stdout, Err: &stderr, Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", t.TempDir(), "env"}, args...))
	err := root.ExecuteContext(t.Context())
	if err != nil {
		problem = app.Message(err)
	}
	return app.Code(err), stdout.String(), problem
}

func TestPlay(t *testing.T) {
	_, out, _ := run(t, "", "play", "calculator", "--seed", "4")
	sum := regexp.MustCompile(`Compute (\S+) with`).FindStringSubmatch(out)
	if sum == nil {
		t.Fatal(out)
	}
	calculate := `{"tool":"calculate","args":{"expression":"` + sum[1] + `"}}`
	_, out, _ = run(t, "", "play", "calculator", "--seed", "4", "--action", calculate)
	result := regexp.MustCompile(`\[1\] (-?[0-9]+)`).FindStringSubmatch(out)
	if result == nil {
		t.Fatal(out)
	}
	for _, c := range []struct {
		name, input string
		args        []string
		code        int
		want        string
	}{
		{"solved", calculate + "\n#### " + result[1] + "\n", []string{"play", "calculator", "--seed", "4", "--credit", "uniform"}, 0, "equal: reward 1, credit [0.5 0.5]"},
		{"wrong", calculate + "\n#### x\n", []string{"play", "calculator", "--seed", "4"}, app.CodeFails, "reward 0"},
		{"without the tool", "#### " + result[1] + "\n", []string{"play", "calculator", "--seed", "4"}, app.CodeFails, "tool_use_required"},
		{"not to its end", calculate, []string{"play", "calculator", "--seed", "4"}, app.CodeUnchecked, "no verdict"},
		{"an unknown environment", "", []string{"play", "chess"}, app.CodeUsage, "there are: calculator, lookup"},
		{"an unknown split", "", []string{"play", "lookup", "--split", "all"}, app.CodeUsage, "train, dev, test"},
		{"list", "", []string{"list"}, 0, "lookup, answer, submit"},
		{"list as JSON", "", []string{"list", "--json"}, 0, `"requireTools"`},
		{"validate", "", []string{"validate", "lookup"}, 0, "end_is_an_end"},
		{"validate nobody", "", []string{"validate", "chess"}, app.CodeUsage, "no environment"},
		{"validate where nobody listens", "", []string{"validate", "http://127.0.0.1:1"}, app.CodeUnchecked, "nothing was tried"},
		{"serve nobody", "", []string{"serve", "chess", "--port", "0"}, app.CodeUsage, "no environment"},
		{"serve elsewhere", "", []string{"serve", "lookup", "--server", "127.0.0.1:1"}, app.CodeUsage, "leave --server out"},
	} {
		if code, out, problem := run(t, c.input, c.args...); code != c.code || !strings.Contains(out+problem, c.want) {
			t.Errorf("%s: exit %d\n%s\n%s", c.name, code, out, problem)
		}
	}
}
