package env

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/schema"
	"github.com/provenir/provenir/services/verifier/toolcall"
)

// Definition is what an environment is made of; zero limits take the defaults.
type Definition struct {
	Name    string
	Version string // changes with anything that a policy could notice
	Summary string
	Tools   []Tool
	// RequireTools makes an answer without the use of a tool fail.
	RequireTools   bool
	MaxTurns       int           // 0 takes 10
	ErrorAllowance int           // actions that may fail before the episode does; 0 takes 3
	ToolLimit      time.Duration // of one call; 0 takes 10 s
	TimeLimit      time.Duration // of an episode; 0 takes 1 h
	StepPenalty    float64       // added for each turn that is no answer; at most 0
	// Begin makes the world of an episode. The same setting makes the same world.
	Begin func(Setting) (World, error)
}

// Setting chooses an episode.
type Setting struct {
	Seed       uint64
	Split      task.Split
	Difficulty int // 1 to 10; 0 is 1
}

// Tool is something that a policy may call.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"` // JSON Schema of an object
}

// Environment is a definition that was checked, with its schemas compiled. It is safe for concurrent use.
type Environment struct {
	Definition

	// ToolsJSON is what a policy is told of the tools, answer and submit among them.
	ToolsJSON []byte
	known     toolcall.Tools
	checkers  map[string]*schema.Checker
}

// The tools that end an episode, beside plain text.
const (
	toolAnswer = "answer"
	toolSubmit = "submit"
)

const answerSchema = `{"type":"object","properties":{"answer":{"type":["string","number","boolean"]}},"required":["answer"],"additionalProperties":false}`

// Reserved are the names that no tool may have: they are commands of an episode, and over MCP they would be mistaken for
// those.
func Reserved() []string { return []string{"reset", "step", "state", "close"} }

var toolName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// New checks a definition and compiles the schemas of its tools.
func New(d Definition) (*Environment, error) {
	d = d.withDefaults()
	switch {
	case !toolName.MatchString(d.Name):
		return nil, fmt.Errorf("environment %q: a name is lower_snake, at most 64 characters", d.Name)
	case d.Begin == nil:
		return nil, fmt.Errorf("environment %s has no Begin", d.Name)
	case d.MaxTurns < 1 || d.ErrorAllowance < 1 || d.ToolLimit <= 0 || d.TimeLimit <= 0:
		return nil, fmt.Errorf("environment %s: limits are above 0", d.Name)
	case math.IsNaN(d.StepPenalty) || d.StepPenalty > 0 || -d.StepPenalty*float64(d.MaxTurns) >= 1:
		return nil, fmt.Errorf("environment %s: a step penalty is at most 0 and, over %d turns, above -1: what passes keeps a reward above 0", d.Name, d.MaxTurns)
	}
	e := &Environment{Definition: d, checkers: map[string]*schema.Checker{}}
	tools := append(slices.Clone(d.Tools),
		Tool{toolAnswer, "Gives the final answer and ends the episode.", json.RawMessage(answerSchema)},
		Tool{toolSubmit, "The same as answer.", json.RawMessage(answerSchema)})
	for _, t := range tools {
		if !toolName.MatchString(t.Name) || slices.Contains(Reserved(), t.Name) || e.checkers[t.Name] != nil {
			return nil, fmt.Errorf("environment %s: tool %q: a name is lower_snake, not reserved (%v, answer, submit) and there once", d.Name, t.Name, Reserved())
		}
		c, err := schema.NewChecker(d.Name+"."+t.Name, t.Parameters)
		if err != nil {
			return nil, fmt.Errorf("environment %s: tool %s: %w", d.Name, t.Name, err)
		}
		e.checkers[t.Name] = c
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // policies read it
	err := enc.Encode(tools)
	if err != nil {
		return nil, fmt.Errorf("environment %s: write its tools: %w", d.Name, err)
	}
	e.ToolsJSON = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if e.known, err = toolcall.ReadTools(e.ToolsJSON); err != nil {
		return nil, fmt.Errorf("environment %s: %w", d.Name, err)
	}
	return e, nil
}

func (d Definition) withDefaults() Definition {
	if d.MaxTurns == 0 {
		d.MaxTurns = 10
	}
	if d.ErrorAllowance == 0 {
		d.ErrorAllowance = 3
	}
	if d.ToolLimit == 0 {
		d.ToolLimit = 10 * time.Second
	}
	if d.TimeLimit == 0 {
		d.TimeLimit = time.Hour
	}
	return d
}

func (e *Environment) names() []string {
	var out []string
	for _, t := range e.Tools {
		out = append(out, t.Name)
	}
	return append(out, toolAnswer, toolSubmit)
}
