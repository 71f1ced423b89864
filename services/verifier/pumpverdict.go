package verifier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/replay"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// sized is a verdict with the bytes of its rollout.
type sized struct {
	item  *verifierv1.VerdictItem
	bytes int64
}

// judge goes through a job. A rule that is broken ends the pump.
func (p *pump) judge(j *job) (verdicts []sized, heldout []*verifierv1.VerdictItem) {
	verdicts = make([]sized, 0, len(j.items))
	for i, item := range j.items {
		if j.state[i].Load() != pending {
			continue
		}
		if p.ctx.Err() != nil {
			break
		}
		first, second, err := p.one(item, j.since)
		if err != nil {
			p.cancel(err)
			break
		}
		if !j.state[i].CompareAndSwap(pending, claimed) {
			continue // the deadline was faster
		}
		verdicts = append(verdicts, sized{first, int64(len(item.GetRollout()))})
		if second != nil {
			heldout = append(heldout, second)
		}
	}
	j.done.Store(true)
	return verdicts, heldout
}

// one judges an item, or finds its verdict.
func (p *pump) one(m *verifierv1.VerifyItem, since time.Time) (first, second *verifierv1.VerdictItem, err error) {
	begun := p.s.clock.Now()
	digest := sha256.Sum256(m.GetRollout())
	if len(m.GetDigest()) > 0 && !bytes.Equal(m.GetDigest(), digest[:]) {
		return nil, nil, invalid("items.digest", "the rollout of item %d does not have the digest that was sent with it", m.GetSeq())
	}
	c, bad, err := p.s.rollout(p.ctx, m.GetRollout())
	switch {
	case err != nil:
		return nil, nil, err
	case bad != "":
	case c.ID != "" && m.GetRolloutId() != "" && c.ID != m.GetRolloutId():
		bad = "the rollout's own id is another than that of its frame"
	}
	if c.ID == "" {
		c.ID = m.GetRolloutId()
	}
	key := replay.Key{Run: p.runID, Rollout: c.ID, Spec: p.spec.Digest}
	if c.ID != "" {
		if e, ok := p.s.replay.Get(key); ok {
			if e.Input != digest {
				return nil, nil, rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY,
					"rollout %s was judged before with other bytes", c.ID).With("rollout_id", c.ID)
			}
			return numbered(e.Verdict, m.GetSeq()), numbered(e.Heldout, m.GetSeq()), nil
		}
	}
	if first, second, err = p.fresh(&c, bad, digest, begun.Sub(since)); err != nil {
		return nil, nil, err
	}
	if c.ID != "" && !first.GetSummary().GetUnscored().GetRetryable() {
		p.s.replay.Put(key, replay.Entry{Input: digest, Verdict: first, Heldout: second})
	}
	return numbered(first, m.GetSeq()), numbered(second, m.GetSeq()), nil
}

// numbered gives a remembered verdict the seq of the item that asks for it.
func numbered(v *verifierv1.VerdictItem, seq uint64) *verifierv1.VerdictItem {
	if v == nil {
		return nil
	}
	return &verifierv1.VerdictItem{Seq: seq, Verdict: v.GetVerdict(), Measured: v.GetMeasured(), Summary: v.GetSummary(), HeldoutFollows: v.GetHeldoutFollows()}
}

// fresh judges, a second time where the rollout is drawn.
func (p *pump) fresh(c *verdict.Candidate, bad string, digest [sha256.Size]byte, queued time.Duration) (first, second *verifierv1.VerdictItem, err error) {
	ctx := p.ctx
	if p.spec.Waits || p.second != nil && p.second.Waits { // a job that outlives its verdict would be for nobody
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(p.limit-queued, 0))
		defer cancel()
	}
	judge := func() verdict.Verdict { return p.s.safely(ctx, p.spec, c) }
	if bad != "" {
		judge = func() verdict.Verdict { return verdict.Unscore(p.spec.Name, verdict.BadRow, bad) }
	}
	passed := false
	var held *verdict.Verdict
	if first, err = p.verdict(p.spec, c, digest[:], queued, func() verdict.Verdict {
		v := judge()
		passed, held = v.Passed(), v.HeldOut
		return v
	}); err != nil {
		return nil, nil, err
	}
	if p.second == nil || bad != "" || !p.draw.Takes(c.ID) {
		return first, nil, nil
	}
	first.HeldoutFollows = true
	second, err = p.verdict(p.second, c, digest[:], queued, func() verdict.Verdict {
		if p.second.SameJob {
			if held == nil {
				return verdict.Unscore(p.second.Name, verdict.NoTests, "the row has no hidden_tests, or they did not run")
			}
			return *held
		}
		w := p.s.safely(ctx, p.second, c)
		if _, scored := w.Scored(); scored && passed && !w.Passed() {
			w.Note("special_cased", verdict.Warn, "the visible verdict passes and the stricter one does not")
		}
		return w
	})
	return first, second, err
}

// verdict makes one item's frame from a judgement.
func (p *pump) verdict(by *catalog.Compiled, c *verdict.Candidate, digest []byte, queued time.Duration, judge func() verdict.Verdict) (*verifierv1.VerdictItem, error) {
	sp := p.s.span(p.ctx, by.Name, c.ID)
	begun := p.s.clock.Now()
	v := judge()
	measured := measure(queued, p.s.clock.Now().Sub(begun))
	if used(measured, v.Run); v.Run != nil {
		measured.Stdout, measured.Stderr = nil, nil // a record holds what it took, and names its output
		if err := p.s.keepOutput(measured, v.Run, c.ID); err != nil {
			return nil, err
		}
	}
	p.s.counts.times(by.Name, measured)
	full, err := p.s.finish(&v, c, by, digest)
	end(sp, full)
	if err != nil {
		return nil, err
	}
	out, err := item(full)
	if err != nil {
		return nil, err
	}
	out.Measured = measured
	return out, nil
}
