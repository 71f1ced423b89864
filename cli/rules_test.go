package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/mesh/meshtest"
)

// called is what a call of the command line gave.
type called struct {
	code     int
	out, err string
}

// call runs the tree of verbs as Main does, without a process of its own.
func call(t *testing.T, stdin string, env map[string]string, args ...string) called {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app.App{In: strings.NewReader(stdin), Out: &out, Err: &errs, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	root := NewCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	text := errs.String()
	if err != nil {
		text += app.Message(err)
	}
	return called{app.Code(err), out.String(), text}
}

// each calls f for every command that does something, the shell's completion apart, which is cobra's.
func each(root *cobra.Command, f func(*cobra.Command)) {
	for _, c := range root.Commands() {
		if c.Name() == "completion" || c.Name() == "help" || strings.HasPrefix(c.Name(), "__") {
			continue
		}
		if !c.HasSubCommands() {
			f(c)
		}
		each(c, f)
	}
}

func tree(t *testing.T) *cobra.Command {
	t.Helper()
	return NewCommand(&app.App{In: strings.NewReader(""), Out: t.Output(), Err: t.Output(), Env: os.LookupEnv})
}

func TestEveryVerb(t *testing.T) {
	n := 0
	each(tree(t), func(c *cobra.Command) {
		n++
		path := strings.Fields(c.CommandPath())[1:]
		t.Run(strings.Join(path, " "), func(t *testing.T) {
			examples := 0
			for l := range strings.Lines(c.Example) {
				if strings.Contains(l, "provenir "+strings.Join(path, " ")) {
					examples++
				}
			}
			if examples < 2 {
				t.Errorf("its help has %d examples, want 2:\n%s", examples, c.Example)
			}
			if got := call(t, "", nil, append(path, "--no-such-flag")...); got.code != 2 || got.out != "" || !strings.Contains(got.err, "--no-such-flag") {
				t.Errorf("a wrong flag: %+v", got)
			}
			if got := call(t, "", nil, append(path, "a", "b", "c", "d", "e")...); got.code != 2 || got.out != "" {
				t.Errorf("too many arguments: %+v", got)
			}
			c.LocalFlags().VisitAll(noSecret(t))
			c.InheritedFlags().VisitAll(noSecret(t))
		})
	})
	if n < 20 {
		t.Errorf("only %d verbs were looked at", n)
	}
}

// noSecret refuses a flag whose value would be a secret: it would be in the shell's history and in the list of processes.
func noSecret(t *testing.T) func(*pflag.Flag) {
	return func(f *pflag.Flag) {
		for _, word := range []string{"token", "secret", "password", "credential", "api-key", "private-key"} {
			if strings.Contains(f.Name, word) && !strings.HasSuffix(f.Name, "-file") && f.Value.Type() == "string" {
				t.Errorf("--%s takes a secret as its value", f.Name)
			}
		}
	}
}

func TestWrongUse(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.jsonl")
	if err := os.WriteFile(there, []byte(`{"id":"a","response":"1","reference":"1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "mesh.yaml")
	if err := os.WriteFile(config, []byte("data: x\nlog:\n  levels: info\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token := map[string]string{"PROVENIR_TOKEN": "x"}
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string
	}{
		{"unknown verb", nil, []string{"verfy"}, 2, "verify"},
		{"unknown verb of a noun", nil, []string{"run", "shwo"}, 2, "did you mean show?"},
		{"noun without a verb and --json", nil, []string{"run", "--json"}, 2, "it needs a verb"},
		{"unknown key of the mesh's settings", nil, []string{"config", "check", "--config-file", config}, 2, "mesh.yaml:3: log.levels: unknown key (did you mean log.level?)"},
		{"rl without anything", nil, []string{"rl"}, 2, "--demo"},
		{"rl with a slip in --set", nil, []string{"rl", "--demo", "--set", "hyper.max_step=3"}, 2, "--set: hyper.max_step: unknown key (did you mean max_steps?)"},
		{"rl with a value out of range", nil, []string{"rl", "--demo", "--device", "gpu"}, 2, "engine.device"},
		{"rl with a file that is not there", nil, []string{"rl", "--config", filepath.Join(dir, "no.yaml")}, 2, "no.yaml"},
		{"reward-validity of rollouts, by training", nil, []string{"reward-validity", "--train", "--demo", "--in", there}, 2, "without --train"},
		{"reward-validity by training on nothing", nil, []string{"reward-validity", "--train"}, 2, "--demo"},
		{"reward-validity with a flag of training", nil, []string{"reward-validity", "--spec", "math", "--in", there, "--seeds", "4"}, 2, "--seeds is for --train"},
		{"reward-validity by training with no seed", nil, []string{"reward-validity", "--train", "--demo", "--seeds", "0"}, 2, "at least 3"},
		{"reward-validity by training with a flag of rollouts", nil, []string{"reward-validity", "--train", "--demo", "--permutations", "9"}, 2, "--permutations"},
		{"an environment that is not there", nil, []string{"env", "list", "--environments", dir}, 2, "environment.yaml"},
		{"output that exists", nil, []string{"verify", "--spec", "math", "--in", there, "--out", there}, 2, "--force"},
		{"output of a batch verb that exists", nil, []string{"math", "explain", "--in", there, "--out", there}, 2, "--force"},
		{"export without a format", nil, []string{"run", "export", "@last"}, 2, "--format"},
		{"export to MLflow without an address", nil, []string{"run", "export", "@last", "--format", "mlflow"}, 2, "--to"},
		{"export to a file and an address", nil, []string{"run", "export", "@last", "--format", "csv", "--to", "http://x"}, 2, "--to is for mlflow"},
		{"server that does not answer", token, []string{"run", "list", "--server", "127.0.0.1:1"}, 3, "127.0.0.1:1"},
		{"server of the environment that does not answer", map[string]string{"PROVENIR_TOKEN": "x", "PROVENIR_SERVER": "127.0.0.1:1"}, []string{"anomalies"}, 3, "127.0.0.1:1"},
		{"server elsewhere in plain text", token, []string{"run", "list", "--server", "192.0.2.1:1"}, 2, "TLS"},
		{"server and no token", nil, []string{"run", "list", "--server", "127.0.0.1:1"}, 3, "--token-file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, "", c.env, append(c.args, "--data", filepath.Join(t.TempDir(), "d"))...)
			if got.code != c.code || got.out != "" || !strings.Contains(got.err, c.says) {
				t.Errorf("%+v\nwant %d, %q", got, c.code, c.says)
			}
		})
	}
}

// With --json standard output has JSON lines and nothing else, and a run is found by any name of it.
func TestJSONAndNamesOfRuns(t *testing.T) {
	first, dir := meshtest.Undisturbed(t, 3, 4, nil)
	uid := first.GetUid()
	folder, out := filepath.Join(dir, "passports", uid), t.TempDir()
	row := `{"id":"a","response":"72","reference":"72","should_pass":true,"text":"1+1","raw":"{}","format":"auto"}` + "\n"
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"version", []string{"version"}, 0, `"go":`},
		{"config check", []string{"config", "check"}, 0, `"data"`},
		{"run list", []string{"run", "list"}, 0, uid},
		{"run show by prefix", []string{"run", "show", uid[:5]}, 0, uid},
		{"run show @last", []string{"run", "show", "@last"}, 0, uid},
		{"run show of none", []string{"run", "show", "nope"}, 2, ""},
		{"run rollouts", []string{"run", "rollouts", "@last", "--limit", "2"}, 0, `"role":"assistant"`},
		{"run rollouts of one", []string{"run", "rollouts", uid[:7], "--rollout", "b0.s3.p0.0"}, 0, `"id":"b0.s3.p0.0"`},
		{"run rollouts of a step that was not", []string{"run", "rollouts", "@last", "--step", "99"}, 0, ""},
		{"run rollouts of none", []string{"run", "rollouts", "@last", "--rollout", "nope"}, 2, ""},
		{"run rollouts of fewer than none", []string{"run", "rollouts", "@last", "--limit", "-1"}, 2, ""},
		{"run watch", []string{"run", "watch", "@last"}, 0, uid},
		{"run pause of one that has ended", []string{"run", "pause", uid[:9]}, 3, ""},
		{"anomalies of a prefix", []string{"anomalies", "--run", uid[:6]}, 0, ""},
		{"anomalies of none", []string{"anomalies", "--run", "nope"}, 2, ""},
		{"run export", []string{"run", "export", "@last", "--format", "tensorboard", "--out", out}, 0, `"sha256":`},
		{"run export of a format of nobody", []string{"run", "export", "@last", "--format", "xlsx", "--out", out}, 2, ""},
		{"run export of what is elsewhere", []string{"run", "export", "@last", "--format", "wandb", "--out", out}, 3, ""},
		{"run export over a file", []string{"run", "export", "@last", "--format", "tensorboard", "--out", out}, 2, ""},
		{"run export over a file by force", []string{"run", "export", "@last", "--format", "tensorboard", "--out", out, "--force"}, 0, `"bytes":`},
		{"run export of none", []string{"run", "export", "nope", "--format", "csv", "--out", out}, 2, ""},
		{"report", []string{"report", uid[:6], "--out", filepath.Join(out, "r.html")}, 0, `"mediaType":"text/html`},
		{"report and JSON on one stream", []string{"report", "@last", "--out", "-"}, 2, ""},
		{"ledger verify of a prefix", []string{"ledger", "verify", uid[:7], "--vkey", filepath.Join(folder, "log.vkey")}, 0, `"logs"`},
		{"ledger verify @last without a key", []string{"ledger", "verify", "@last"}, 3, `"logs"`},
		{"passport list", []string{"passport", "list"}, 0, uid},
		{"passport show", []string{"passport", "show", folder}, 0, uid},
		{"passport verify", []string{"passport", "verify", folder, "--key", filepath.Join(folder, "keys", "signer.pem")}, 0, `"`},
		{"verify from standard input", []string{"verify", "--spec", "math", "--in", "-", "--out", "-"}, 0, `"equal"`},
		{"math explain from standard input", []string{"math", "explain", "--in", "-"}, 0, `"canonical"`},
		{"toolcall parse from standard input", []string{"toolcall", "parse", "--in", "-"}, 0, `"outcome"`},
		{"reliability with too little", []string{"verify-reliability", "--spec", "math", "--in", "-", "--mutations", "1"}, 3, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, row, nil, append(c.args, "--json", "--data", dir)...)
			if got.code != c.code || !strings.Contains(got.out, c.says) || c.code == 2 && got.out != "" {
				t.Errorf("%d, %.400s\n%s\nwant %d, %q", got.code, got.out, got.err, c.code, c.says)
			}
			for d := json.NewDecoder(strings.NewReader(got.out)); d.More(); {
				var v map[string]any
				if err := d.Decode(&v); err != nil {
					t.Fatalf("standard output has more than JSON: %v\n%.400s", err, got.out)
				}
			}
		})
	}
}
