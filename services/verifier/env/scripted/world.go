package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// maxState bounds the state of an episode, in bytes of JSON: a thousand episodes must fit.
const maxState = 256 << 10

// world is one episode.
type world struct {
	m        *manifest
	p        program
	setting  env.Setting
	task     env.Task
	state    any
	progress float64
}

// read takes what def task returned.
func (w *world) read(out any) error {
	fields, ok := out.(map[string]any)
	if !ok {
		return errors.New("returned no dict; want prompt and state, and reference, row, spec and id where they are needed")
	}
	w.task.ID = fmt.Sprintf("%s/%s/%d/%d", w.m.Name, w.setting.Split, w.setting.Seed, w.setting.Difficulty)
	for key, v := range fields {
		text, isText := v.(string)
		switch key {
		case "prompt":
			w.task.Prompt = text
		case "reference":
			w.task.Reference = text
		case "spec":
			w.task.Spec = text
		case "id":
			w.task.ID = text
		case "state":
			w.state, isText = v, true
		case "row":
			_, isText = v.(map[string]any)
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			w.task.Row = string(b)
		default:
			return fmt.Errorf("returned the unknown key %q; known are id, prompt, reference, row, spec, state", key)
		}
		if !isText {
			return fmt.Errorf("returned a %s of another type", key)
		}
	}
	if w.task.Prompt == "" || w.state == nil {
		return errors.New("returned no prompt, or no state")
	}
	return fits(w.state)
}

func fits(state any) error {
	b, err := json.Marshal(state)
	if err == nil && len(b) > maxState {
		err = fmt.Errorf("a state of %d bytes, at most %d", len(b), maxState)
	}
	return err
}

// Task is what it is about.
func (w *world) Task() env.Task { return w.task }

// Progress is what def progress said after the last call.
func (w *world) Progress() float64 { return w.progress }

// Act calls a tool with a copy of the state, which replaces it only when everything went well.
func (w *world) Act(ctx context.Context, tool string, args map[string]any) (string, error) {
	state := w.state
	out, err := w.p.call(ctx, tool, &state, args)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return "", refused
	case err != nil:
		return "", fmt.Errorf("%w: %s: %w", env.ErrBroken, tool, err)
	}
	text, ok := out.(string)
	if !ok {
		b, err := json.Marshal(out)
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", env.ErrBroken, tool, err)
		}
		text = string(b)
	}
	if err := fits(state); err != nil {
		return "", &refusal{err.Error() + "; nothing was changed"}
	}
	progress, err := w.progressOf(ctx, state)
	if err != nil {
		return "", fmt.Errorf("%w: progress: %w", env.ErrBroken, err)
	}
	w.state, w.progress = state, progress
	return text, nil
}

// progressOf asks def progress, where there is one.
func (w *world) progressOf(ctx context.Context, state any) (float64, error) {
	if !w.p.has(defProgress) {
		return 0, nil
	}
	out, err := w.p.call(ctx, defProgress, &state, nil)
	if err != nil {
		return 0, err
	}
	v, ok := rules.Number(out)
	if !ok || math.IsNaN(v) || v < 0 || v > 1 {
		return 0, fmt.Errorf("returned %v; want a number from 0 to 1", out)
	}
	return v, nil
}

// judging is a world whose state is judged.
type judging struct{ *world }

// Verdict asks def verdict, in a call of its own that no action of the policy has touched.
func (w judging) Verdict(answer string) verdict.Verdict {
	name := "env:" + w.m.Name
	ctx, cancel := context.WithTimeout(context.Background(), w.m.limit+slack)
	defer cancel()
	state := w.state
	out, err := w.p.call(ctx, defVerdict, &state, map[string]any{"answer": answer})
	if err != nil {
		return verdict.Unscore(name, verdict.JudgeError, verdict.Printable("verdict: "+err.Error()))
	}
	if passed, ok := out.(bool); ok {
		if passed {
			return verdict.Pass(name, "accepted")
		}
		return verdict.Fail(name, "rejected")
	}
	if reward, ok := rules.Number(out); ok {
		word := "rejected"
		if reward == 1 {
			word = "accepted"
		}
		return verdict.Score(name, verdict.Scored{Reward: reward, Passed: reward == 1, Reason: word}, verdict.Range{})
	}
	return verdict.Unscore(name, verdict.JudgeError, "verdict returned neither a bool nor a number")
}
