package pump

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Channel is what the second verdicts of a step say together.
type Channel struct {
	Sum  float64 // of rewards
	Rows uint64  // that were scored; the others count nowhere
}

// Heldout records the second verdicts of the step, in row order over its rounds, and forgets them.
func (p *Pump) Heldout(ctx context.Context) (Channel, error) {
	rows := p.step
	p.step = nil
	if len(rows) == 0 {
		return Channel{}, nil
	}
	records, rows, err := p.recordedSecond(ctx, rows)
	if err != nil {
		return Channel{}, err
	}
	fresh, err := p.second(ctx, rows)
	if err != nil {
		return Channel{}, err
	}
	p.Judge.Forget(p.Judge.seq + 1)
	records = append(records, fresh...)
	said, err := channel(records)
	if err != nil {
		return Channel{}, err
	}
	return said, p.Ledger.Append(ctx, records...)
}

func channel(records []*recorderv1.Record) (Channel, error) {
	var c Channel
	for _, r := range records {
		var v corev1.Verdict
		if err := proto.Unmarshal(r.GetPayload(), &v); err != nil {
			return Channel{}, fmt.Errorf("a second verdict: %w", err)
		}
		if v.GetScored() != nil {
			c.Sum += v.GetScored().GetReward()
			c.Rows++
		}
	}
	return c, nil
}

// recordedSecond gives the second verdicts that are on disk, as they are, and the rows that may still get one. A second
// verdict may depend on time like a first one: made anew it could differ from its record, and the run would not repeat.
func (p *Pump) recordedSecond(ctx context.Context, rows []row) ([]*recorderv1.Record, []row, error) {
	first := p.Ledger.Next()
	last := min(first+uint64(len(rows)), p.Ledger.Recorded())
	if first >= last {
		return nil, rows, nil
	}
	events, err := p.Recorded(ctx, first, last)
	if err != nil {
		return nil, nil, fmt.Errorf("read recorded second verdicts: %w", err)
	}
	var out []*recorderv1.Record
	for _, e := range events {
		if e.GetType() != recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT {
			return out, nil, nil // all of them were recorded: what follows them is there
		}
		var v corev1.Verdict
		if err := proto.Unmarshal(e.GetPayload(), &v); err != nil {
			return nil, nil, fmt.Errorf("record %d: %w", e.GetSeq(), err)
		}
		for len(rows) > 0 && rows[0].ID != v.GetRolloutId() {
			rows = rows[1:] // it was not drawn
		}
		if len(rows) == 0 {
			return nil, nil, fmt.Errorf("record %d is the second verdict of %s, which is not in this step or not in its place", e.GetSeq(), v.GetRolloutId())
		}
		out = append(out, &recorderv1.Record{Type: e.GetType(), Payload: e.GetPayload(), Volatile: e.GetVolatile(), ErasureGroup: rows[0].Row})
		rows = rows[1:]
	}
	return out, rows, nil
}

// second waits for the second verdicts of the rows that are drawn.
func (p *Pump) second(ctx context.Context, rows []row) ([]*recorderv1.Record, error) {
	timer := p.Clock.NewTimer(p.Timeout)
	defer timer.Stop()
	out := make([]*recorderv1.Record, 0, len(rows))
	expired := false
	for i := 0; i < len(rows); {
		if !rows[i].drawn {
			i++
			continue
		}
		wait := p.Bell.wait()
		v, err := p.Judge.TakeHeldout(rows[i].item)
		if v == nil && err == nil && expired {
			v, err = late(rows[i].Judged)
		}
		if err != nil {
			return nil, fmt.Errorf("second verdict of %s: %w", rows[i].ID, err)
		}
		if v == nil {
			select {
			case <-wait:
			case <-timer.C():
				expired = true
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			continue
		}
		volatile, err := proto.Marshal(v.GetMeasured())
		if err != nil {
			return nil, err
		}
		out = append(out, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT, Payload: v.GetVerdict(), Volatile: volatile, ErasureGroup: rows[i].Row})
		i++
	}
	return out, nil
}
