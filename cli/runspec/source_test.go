package runspec

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli/app"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// read does what rl does before it starts anything: file, then --set, then the check.
func read(t *testing.T, text string, set ...string) (*orchestratorv1.RunSpec, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := &orchestratorv1.RunSpec{}
	file, err := Open(&app.App{In: strings.NewReader(""), Err: io.Discard}, path)
	if err != nil {
		return nil, err
	}
	if err := file.Merge(spec); err != nil {
		return nil, err
	}
	for _, kv := range set {
		if err := Set(spec, kv); err != nil {
			return nil, err
		}
	}
	return spec, Check(spec, file, set)
}

func TestBadValuesAreNamedWithTheirPlace(t *testing.T) {
	for _, c := range []struct {
		name, text string
		set        []string
		want       string // at the end of the message
	}{
		{"unknown key", "algorithm: grpo\nhyper:\n  max_step: 3\n", nil, "run.yaml:3: hyper.max_step: unknown key (did you mean max_steps?)"},
		{"wrong type", "hyper:\n  max_steps: many\n", nil, `run.yaml:2: hyper.max_steps: "many": want a whole number (uint64)`},
		{"out of range", "# a comment\nhyper:\n  optimizer: {lr: 1}\n  max_steps: 0\n", nil, "run.yaml:4: hyper.max_steps: must be greater than or equal to 1 and less than or equal to 10000000"},
		{"out of range in camel case", "hyper: {\n  maxSteps: 99999999}\n", nil, "run.yaml:2: hyper.max_steps: must be greater than or equal to 1 and less than or equal to 10000000"},
		{"not one of its values", "engine:\n  device: gpu\n", nil, "run.yaml:2: engine.device: must be in list [, auto, cpu, cuda]"},
		{"not YAML", "hyper: [\n", nil, ""},
		{"unknown key in --set", "", []string{"gate.floors=1"}, "--set: gate.floors: unknown key (did you mean floor?)"},
		{"wrong type in --set", "", []string{"seed=x"}, `--set: seed: "x": want a whole number (uint64)`},
		{"out of range in --set", "hyper: {max_steps: 5}\n", []string{"gate.no_signal_floor=2"}, "--set: gate.no_signal_floor: must be greater than or equal to 0 and less than or equal to 1"},
		{"--set without a value", "", []string{"seed"}, "--set seed: want KEY=VALUE"},
		{"--set over several lines", "", []string{"seed=1\nalgorithm: dapo"}, "want one line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, c.text, c.set...)
			if err == nil || app.Code(err) != app.CodeUsage || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("code %d, %v\nwant 2, %q", app.Code(err), err, c.want)
			}
		})
	}
}

// What is missing may still come from a flag, an upload or the orchestrator.
func TestWhatIsMissingIsNoFault(t *testing.T) {
	for _, text := range []string{"", "algorithm: grpo\n", "warmup: {steps: 3, batch_size: 2}\n"} {
		if _, err := read(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	spec, err := read(t, "hyper: {max_steps: 5, batch_size: 3}\n", "hyper.max_steps=7")
	if err != nil || spec.GetHyper().GetMaxSteps() != 7 || spec.GetHyper().GetBatchSize() != 3 {
		t.Errorf("%v, %v", spec, err)
	}
}

func TestStandardInputIsReadOnce(t *testing.T) {
	a := &app.App{In: strings.NewReader("hyper:\n  max_steps: 0\n"), Err: io.Discard}
	file, err := Open(a, "-")
	if err != nil {
		t.Fatal(err)
	}
	spec := &orchestratorv1.RunSpec{}
	if err := file.Merge(spec); err != nil {
		t.Fatal(err)
	}
	if err := Check(spec, file, nil); err == nil || !strings.HasPrefix(err.Error(), "standard input:2: hyper.max_steps") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(a, "-"); app.Code(err) != app.CodeUsage {
		t.Errorf("a second - gives %v", err)
	}
}
