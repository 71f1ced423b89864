// Package replayed is the verifier `episode`: it plays what a policy did in an environment again, turn by turn, and gives the
// episode's own verdict. Whoever trains on episodes thus sends a rollout whose segments are the turns, and is paid for what the
// environment says of them, not for what the engine says that it said. The turns are in the run's ledger with the rollout; the
// verdict's evidence has the hash of each onto the last.
package replayed

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "episode"

// Descriptor describes episode.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "the verdict of an environment on an episode that is played again; the row has seed, and may have split and difficulty",
		Options: []spec.Option{
			{Name: "environment", Type: spec.Text, Required: true, Doc: "name of the environment, as env list shows it"},
		},
	}
}

// Deps are what episodes are played with.
type Deps struct {
	Lookup func(name string) (*env.Environment, bool)
	Names  func() string
	Answer env.Judge
	Clock  clock.Clock
}

// Version names the environment of a spec's options in the verifier's digest: other rules are another verifier.
func (d *Deps) Version(name string) string {
	e, ok := d.Lookup(name)
	if !ok {
		return ""
	}
	return e.Name + " " + e.Version
}

type judge struct {
	deps *Deps
	env  *env.Environment
}

// New makes an episode verifier.
func New(path string, v spec.Values, d *Deps) (verdict.Judge, error) {
	e, ok := d.Lookup(v.String("environment"))
	if !ok {
		return nil, &spec.BadSpecError{Path: path, Field: "environment", Value: v.String("environment"), Allowed: d.Names()}
	}
	return &judge{d, e}, nil
}

// Judge plays without a deadline but the environment's own.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	return j.JudgeContext(context.Background(), c)
}

// Waits is true: tools may run in the sandbox.
func (*judge) Waits() bool { return true }

// JudgeContext plays until ctx ends.
func (j *judge) JudgeContext(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
	setting, err := settingOf(c.Row)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	prompt, turns, err := turnsOf(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	s := env.NewSession(j.deps.Clock, j.deps.Answer)
	o, err := s.Reset(env.Episode{ID: c.ID, Env: j.env, Setting: setting})
	if err != nil {
		return verdict.Unscore(Name, verdict.JudgeError, verdict.Printable(err.Error()))
	}
	if !shows(prompt, o.Text) {
		return verdict.Unscore(Name, verdict.BadRow, "the rollout's prompt is not what this episode asks: another seed, split, difficulty or version of the environment")
	}
	rows := []verdict.Test{{Name: "reset", Outcome: "running", Detail: hex.EncodeToString(s.Digest())}}
	late := 0
	for i, t := range turns {
		if o.Done() {
			late = len(turns) - i
			break
		}
		if o, err = s.Step(ctx, t.action); err != nil {
			return verdict.Unscore(Name, verdict.JudgeError, verdict.Printable(err.Error()))
		}
		if ctx.Err() != nil {
			return verdict.Unscore(Name, verdict.Deadline, "the deadline passed while the episode was played again")
		}
		rows = append(rows, verdict.Test{Name: fmt.Sprintf("turn %d", i+1), Outcome: string(s.State().Phase), Detail: hex.EncodeToString(s.Digest())})
		if !o.Done() && !shows(t.observed, o.Text) {
			return verdict.Unscore(Name, verdict.BadRow, fmt.Sprintf("turn %d: what the rollout says that the environment answered is not what it answers", i+1))
		}
	}
	out := s.Close()
	v := verdict.Fail("env:"+j.env.Name, "unfinished") // the policy stopped before the task did
	if out.Verdict != nil {
		v = *out.Verdict
	}
	v.Tests = append(rows, v.Tests...)
	if v.Extracted == "" {
		v.Extracted = verdict.Printable(out.Answer)
	}
	if late > 0 {
		v.Note("turns_after_end", verdict.Warn, fmt.Sprintf("%d turns came after the episode's end and were not played", late))
	}
	return v
}

// shows says whether a text that a template may have wrapped holds an observation. A rollout that has no such segments says nothing
// of it.
func shows(segment []byte, observation string) bool {
	return segment == nil || strings.Contains(string(segment), strings.TrimSpace(observation))
}

func settingOf(row verdict.Row) (env.Setting, error) {
	s := env.Setting{Split: task.Train, Difficulty: 1}
	raw, ok := row.Get("seed")
	if !ok {
		return s, fmt.Errorf("the row has no seed, which draws the episode")
	}
	if err := number(raw, &s.Seed); err != nil {
		return s, fmt.Errorf("seed: %w", err)
	}
	if raw, ok := row.Get("split"); ok {
		text, err := verdict.Text(raw)
		if err != nil {
			return s, fmt.Errorf("split: %w", err)
		}
		if s.Split, err = task.ParseSplit(text); err != nil {
			return s, fmt.Errorf("split: %w", err)
		}
	}
	if raw, ok := row.Get("difficulty"); ok {
		var d uint64
		if err := number(raw, &d); err != nil || d < 1 || d > 10 {
			return s, fmt.Errorf("difficulty: want 1 to 10")
		}
		s.Difficulty = int(d)
	}
	return s, nil
}
