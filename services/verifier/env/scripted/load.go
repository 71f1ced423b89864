package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/env"
)

// program runs functions of a program. The error is a *refusal where the fault is the caller's, who has then changed nothing.
type program interface {
	// call gives what the function returned. A state that is not nil is given first and replaced by what the call left.
	call(ctx context.Context, name string, state *any, args map[string]any) (any, error)
	// has says whether there is a function, as far as that can be told without running the program.
	has(name string) bool
}

// refusal is told to the policy.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// slack is how long a call may wait for a free place in the sandbox beside its own time: the wait is not the policy's fault.
const slack = 30 * time.Second

// Load makes the definition of a folder. Python runs where its programs run; nil where there is no sandbox.
func Load(folder string, python code.Runner) (env.Definition, error) {
	m, err := read(folder)
	if err != nil {
		return env.Definition{}, fmt.Errorf("environment: %w", err)
	}
	var p program
	if strings.HasSuffix(m.Program, ".py") {
		if python == nil {
			return env.Definition{}, fmt.Errorf("environment %s: its program is Python, and nothing here runs it", m.Name)
		}
		p = &pythonProgram{python, m.source, m.limit}
	} else if p, err = newStarlark(m); err != nil {
		return env.Definition{}, fmt.Errorf("environment %s: %w", m.Name, err)
	}
	for _, name := range m.functions() {
		if !p.has(name) {
			return env.Definition{}, fmt.Errorf("environment %s: %s has no def %s", m.Name, m.Program, name)
		}
	}
	return env.Definition{
		Name: m.Name, Version: m.Version, Summary: m.Summary, Tools: m.Tools, RequireTools: m.RequireTools, MaxTurns: m.MaxTurns,
		ErrorAllowance: m.ErrorAllowance, StepPenalty: m.StepPenalty, ToolLimit: m.limit + slack,
		Begin: func(s env.Setting) (env.World, error) { return begin(m, p, s) },
	}, nil
}

func (m *manifest) functions() []string {
	out := []string{defTask}
	for _, t := range m.Tools {
		out = append(out, t.Name)
	}
	if m.Judge == "state" {
		out = append(out, defVerdict)
	}
	return out
}

// begin asks the program for a task. What it says of the answer stays here: only the state goes into later calls.
func begin(m *manifest, p program, s env.Setting) (env.World, error) {
	ctx, cancel := context.WithTimeout(context.Background(), m.limit+slack)
	defer cancel()
	out, err := p.call(ctx, defTask, nil, map[string]any{
		"seed": json.Number(fmt.Sprint(s.Seed)), "split": string(s.Split), "difficulty": json.Number(fmt.Sprint(s.Difficulty))})
	if err != nil {
		return nil, fmt.Errorf("environment %s: task: %w", m.Name, err)
	}
	w := &world{m: m, p: p, setting: s}
	if err := w.read(out); err != nil {
		return nil, fmt.Errorf("environment %s: task: %w", m.Name, err)
	}
	if m.Judge == "state" {
		return judging{w}, nil
	}
	if w.task.Spec == "" {
		return nil, fmt.Errorf("environment %s: task: %w", m.Name, errors.New("spec is needed where the answer is judged"))
	}
	return w, nil
}
