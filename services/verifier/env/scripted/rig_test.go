package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	goleak.VerifyTestMain(m)
}

// python is a sandbox, where this machine has one.
func python(t testing.TB) code.Runner {
	t.Helper()
	p, err := sandbox.New(sandbox.Config{PoolSize: 2}, sandbox.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	var isolation *sandbox.IsolationError
	if _, err := p.Run(t.Context(), sandbox.Job{Source: "pass"}); errors.Is(err, sandbox.ErrLanguage) || errors.As(err, &isolation) {
		t.Skipf("no sandbox here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return code.On(p)
}

// folder writes an environment.
func folder(t testing.TB, manifest, name, program string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{File: manifest, name: program} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// counter is a manifest whose tools change a state; its program is the test's.
func counter(program, judge string, tools ...string) string {
	out := "name: counter\nversion: \"1\"\nsummary: counts\nprogram: " + program + "\njudge: " + judge + "\nerror_allowance: 9\ntool_limit: 300ms\ntools:\n"
	for _, tool := range tools {
		out += "  - {name: " + tool + ", description: d, parameters: {type: object, properties: {by: {type: integer}}, additionalProperties: false}}\n"
	}
	return out
}

// game is a session whose steps are calls.
type game struct {
	testing.TB
	*env.Session
	prompt string
}

func play(t testing.TB, dir string, run code.Runner, s env.Setting) *game {
	t.Helper()
	d, err := Load(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	e, err := env.New(d)
	if err != nil {
		t.Fatal(err)
	}
	g := &game{TB: t, Session: env.NewSession(clock.System{}, byEquality)}
	if s.Split == "" {
		s.Split = task.Train
	}
	o, err := g.Reset(env.Episode{ID: "e", Env: e, Credit: env.TurnVerifier, Setting: s})
	if err != nil {
		t.Fatal(err)
	}
	g.prompt = o.Text
	return g
}

func byEquality(_ context.Context, t env.Task, answer string) verdict.Verdict {
	if strings.TrimPrefix(strings.TrimSpace(answer), "#### ") == t.Reference {
		return verdict.Pass("equal", "equal")
	}
	return verdict.Fail("equal", "different")
}

func (g *game) call(tool string, args map[string]any) env.Observation {
	g.Helper()
	if args == nil {
		args = map[string]any{}
	}
	b, err := json.Marshal(map[string]any{"tool": tool, "args": args})
	if err != nil {
		g.Fatal(err)
	}
	return g.say(string(b))
}

func (g *game) say(action string) env.Observation {
	g.Helper()
	o, err := g.Step(g.Context(), []byte(action))
	if err != nil {
		g.Fatal(err)
	}
	return o
}
