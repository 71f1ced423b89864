package env

import (
	"context"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// Reasons of verdicts that no verifier gave.
const (
	reasonNoTool   = "tool_use_required"
	reasonErrors   = "too_many_errors"
	reasonTurns    = "max_turns"
	verifierPrefix = "env:"
)

func (s *Session) name() string { return verifierPrefix + s.env.Name }

// conclude decides whether the turn ends the episode, and how.
func (s *Session) conclude(ctx context.Context, p plan, broken error) {
	var v verdict.Verdict
	switch {
	case broken != nil: // ours: no reward
		s.phase, s.world = Failed, nil
		v = verdict.Unscore(s.name(), verdict.JudgeError, broken.Error())
	case s.errors > s.env.ErrorAllowance: // the policy's
		s.phase = Failed
		v = verdict.Fail(s.name(), reasonErrors)
	case p.final:
		s.phase, s.answer = Terminated, p.answer
		v = s.judged(ctx, p.answer)
	case s.turn >= s.env.MaxTurns:
		s.phase = Truncated
		v = verdict.Fail(s.name(), reasonTurns)
	default:
		return
	}
	v = s.penalised(v, p.final)
	s.final = &v
}

// judged is the terminal verdict: by the world's state where it judges, else by the task's spec on the answer.
func (s *Session) judged(ctx context.Context, answer string) verdict.Verdict {
	if s.env.RequireTools && !s.used {
		return verdict.Fail(s.name(), reasonNoTool)
	}
	if w, ok := s.world.(Judging); ok {
		return w.Verdict(answer)
	}
	return s.judge(ctx, s.about, answer)
}

// penalised adds the step penalty of each turn that was no answer.
func (s *Session) penalised(v verdict.Verdict, answered bool) verdict.Verdict {
	score, ok := v.Scored()
	if !ok || s.env.StepPenalty == 0 {
		return v
	}
	turns := float64(s.turn)
	if answered {
		turns--
	}
	score.Reward += s.env.StepPenalty * turns
	out := verdict.Score(v.Verifier, score, verdict.Range{Lo: s.env.StepPenalty * float64(s.env.MaxTurns), Hi: 1})
	out.Extracted, out.Findings, out.Members, out.Execution = v.Extracted, v.Findings, v.Members, v.Execution
	return out
}
