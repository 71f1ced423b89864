package verifier

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// safely asks a judge. A panic in one is a fault of ours: it must neither end the process, in which other roles live,
// nor become a reward.
func (s *Service) safely(ctx context.Context, j *catalog.Compiled, c *verdict.Candidate) (v verdict.Verdict) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("a judge panicked", "verifier", j.Name, "rollout", c.ID, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			v = verdict.Unscore(j.Name, verdict.JudgeError, "the verifier failed; the log has the cause")
		}
	}()
	return verdict.Within(ctx, j.Judge, c)
}

// judged is a verdict as it is answered.
type judged struct {
	verdict  *corev1.Verdict
	measured *corev1.Measured
	heldout  *corev1.Verdict // nil where none came with the verdict
}

// judge waits for a free worker and judges, and stores the evidence.
func (s *Service) judge(ctx context.Context, j *catalog.Compiled, c *verdict.Candidate, rolloutDigest []byte, limit time.Duration) (judged, error) {
	sp := s.span(ctx, j.Name, c.ID)
	v, m := s.decide(ctx, j, c, limit)
	out, err := s.finish(&v, c, j, rolloutDigest)
	if err == nil {
		err = s.keepOutput(m, v.Run, c.ID)
	}
	end(sp, out)
	got := judged{verdict: out, measured: m}
	if v.HeldOut != nil {
		got.heldout = encode(v.HeldOut, c.ID, s.digestOf(j, v.HeldOut), rolloutDigest)
	}
	return got, err
}

// decide waits for a free worker and judges. A deadline that passes while it waits is the answer.
func (s *Service) decide(ctx context.Context, j *catalog.Compiled, c *verdict.Candidate, limit time.Duration) (verdict.Verdict, *corev1.Measured) {
	from := s.clock.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !j.Waits {
		if err := s.gate.enter(ctx); err != nil {
			return late(j.Name), measure(s.clock.Now().Sub(from), 0)
		}
	}
	begun := s.clock.Now()
	v := s.safely(ctx, j, c)
	if !j.Waits {
		s.gate.leave()
	}
	m := measure(begun.Sub(from), s.clock.Now().Sub(begun))
	used(m, v.Run)
	s.counts.times(j.Name, m)
	return v, m
}

// late is the verdict where the deadline passed: the hub's clock decided, and nothing is known of the candidate.
func late(name string) verdict.Verdict {
	v := verdict.Unscore(name, verdict.Deadline, "the deadline passed before the verdict")
	v.Note(findingTimeDependent, verdict.Info, "deadline")
	return v
}

func measure(queued, took time.Duration) *corev1.Measured {
	return &corev1.Measured{Queued: durationpb.New(queued), Took: durationpb.New(took), Attempt: 1}
}

// used adds what code took and printed.
func used(m *corev1.Measured, r *verdict.Run) {
	if r == nil {
		return
	}
	m.Wall, m.Cpu, m.MaxRssBytes, m.Stdout, m.Stderr = durationpb.New(r.Wall), durationpb.New(r.CPU), uint64(max(r.MaxRSS, 0)), r.Stdout, r.Stderr
}

// limitOf is the deadline that a caller names, or ours.
func (s *Service) limitOf(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return s.cfg.Deadline, nil
	}
	if err := d.CheckValid(); err != nil || d.AsDuration() <= 0 || d.AsDuration() > time.Hour {
		return 0, invalid("deadline", "a deadline is above 0 and at most an hour")
	}
	return d.AsDuration(), nil
}

func digestOf(rollout []byte) []byte {
	if len(rollout) == 0 {
		return nil
	}
	sum := sha256.Sum256(rollout)
	return sum[:]
}
