package pump

import (
	"context"
	"errors"
	"fmt"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// remember takes the verdicts that are on disk: a verdict may depend on time, so a rollout that has one is never judged
// again. The others are sent now. The round's verdicts follow its rollouts, row by row.
func (p *Pump) remember(ctx context.Context) error {
	first := p.Ledger.Next() // every rollout of the round has its seq
	last := min(first+uint64(len(p.round)), p.Ledger.Recorded())
	known := 0
	if first < last {
		events, err := p.Recorded(ctx, first, last)
		if err != nil {
			return fmt.Errorf("read recorded verdicts: %w", err)
		}
		for i, e := range events {
			if e.GetType() != recorderv1.RecordType_RECORD_TYPE_VERDICT || e.GetSeq() != first+uint64(i) {
				return fmt.Errorf("record %d is a %s where the verdict of %s belongs", e.GetSeq(), e.GetType(), p.round[i].ID)
			}
			s, err := Summarise(e.GetPayload())
			if err != nil {
				return fmt.Errorf("record %d: %w", e.GetSeq(), err)
			}
			p.round[i].before = &verifierv1.VerdictItem{Verdict: e.GetPayload(), Summary: s}
			known = i + 1
		}
	}
	if p.Second {
		known = 0
	}
	for i := range known {
		if err := p.round[i].settle(p.round[i].before); err != nil {
			return fmt.Errorf("recorded verdict of %s: %w", p.round[i].ID, err)
		}
	}
	for from := known; from < len(p.round); from += sendBatch {
		if err := p.judge(ctx, from, p.frames[from:min(from+sendBatch, len(p.frames))]); err != nil {
			return err
		}
	}
	return nil
}

const sendBatch = 16

// collect waits until every row has its verdict. One that does not come in time is unscored; it never holds the round.
func (p *Pump) collect(ctx context.Context) error {
	timer := p.Clock.NewTimer(p.Timeout)
	defer timer.Stop()
	for i := 0; i < len(p.round); {
		r := &p.round[i]
		if r.Item != nil {
			i++
			continue
		}
		wait := p.Bell.wait()
		v, err := p.Judge.Take(r.item)
		if err == nil && v != nil {
			err = r.settle(v)
		}
		if err != nil {
			return fmt.Errorf("verdict of %s: %w", r.ID, err)
		}
		if v != nil {
			continue
		}
		select {
		case <-wait:
		case <-timer.C():
			return p.expire()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// expire makes the missing verdicts unscored, after one last look.
func (p *Pump) expire() error {
	for i := range p.round {
		r := &p.round[i]
		if r.Item != nil {
			continue
		}
		v, err := p.Judge.Take(r.item)
		switch {
		case err != nil:
		case v != nil:
			err = r.settle(v)
		case r.before != nil:
			err = r.settle(nil)
		default:
			if v, err = late(r.Judged); err == nil {
				err = r.settle(v)
			}
		}
		if err != nil {
			return fmt.Errorf("verdict of %s: %w", r.ID, err)
		}
	}
	return nil
}

// settle takes a fresh verdict, or the recorded one where there is one; nil is a verifier that was asked again and did not
// answer in time.
//
// Whether a row is drawn must come out the same when the step is executed again, although the verifier may then be faster
// or slower than it was. So a verdict that the deadline made is never drawn: the verifier said nothing of a second one then,
// and would now. And where it is silent now the row counts as drawn, and its second verdict, marked, as late.
func (r *row) settle(fresh *verifierv1.VerdictItem) error {
	r.Item, r.drawn = fresh, fresh == nil || fresh.GetHeldoutFollows()
	if r.before != nil {
		r.Item = r.before
	}
	s := r.Item.GetSummary()
	if s.GetOutcome() == nil {
		return errors.New("the verifier says neither a score nor why there is none")
	}
	if s.GetUnscored().GetReason() == corev1.UnscoredReason_UNSCORED_REASON_DEADLINE {
		r.drawn = false
	}
	return nil
}
