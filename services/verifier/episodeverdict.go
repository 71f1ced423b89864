package verifier

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// judgeAnswer judges the final answer of an episode by the task's spec, as any other response.
func (s *Service) judgeAnswer(ctx context.Context, t env.Task, answer string) verdict.Verdict {
	compiled, err := s.compiled.get(&verifierv1.Spec{Name: t.Spec})
	if err != nil {
		return verdict.Unscore(t.Spec, verdict.BadSpec, err.Error())
	}
	row, err := rowOf(t)
	if err != nil {
		return verdict.Unscore(t.Spec, verdict.BadRow, err.Error())
	}
	v, _ := s.decide(ctx, compiled, &verdict.Candidate{Response: answer, Row: row}, s.cfg.Deadline)
	return v
}

func rowOf(t env.Task) (verdict.Row, error) {
	reference, err := json.Marshal(t.Reference)
	if err != nil {
		return nil, err
	}
	row := verdict.Row{{Key: "reference", JSON: reference}}
	if t.Row == "" {
		return row, nil
	}
	var more map[string]json.RawMessage
	if err := json.Unmarshal([]byte(t.Row), &more); err != nil {
		return nil, fmt.Errorf("the task's row: %w", err)
	}
	for _, k := range slices.Sorted(maps.Keys(more)) { // the same evidence on every repeat
		row = append(row, verdict.Field{Key: k, JSON: more[k]})
	}
	return row, nil
}

// finishEpisode makes the message of an episode's verdict, with its evidence stored, and counts it. The digest names what
// judged: the environment with its limits, the task's spec, and this build.
func (s *Service) finishEpisode(o *env.Outcome) (*corev1.Verdict, error) {
	d, err := json.Marshal(map[string]any{
		"environment": o.Env.Name, "version": o.Env.Version, "tools": json.RawMessage(o.Env.ToolsJSON), "max_turns": o.Env.MaxTurns,
		"error_allowance": o.Env.ErrorAllowance, "require_tools": o.Env.RequireTools, "step_penalty": o.Env.StepPenalty, "spec": o.Task.Spec, "code": s.cfg.Code,
	})
	if err != nil {
		return nil, fmt.Errorf("digest of environment %s: %w", o.Env.Name, err)
	}
	digest := sha256.Sum256(d)
	row, err := rowOf(o.Task)
	if err != nil {
		return nil, err
	}
	return s.finishAs("env:"+o.Env.Name, o.Verdict, &verdict.Candidate{ID: o.ID, Response: o.Answer, Row: row}, digest[:], nil)
}
