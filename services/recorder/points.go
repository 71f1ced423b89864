package recorder

import (
	"context"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/export"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/store"
)

// points reads every value of every STEP record, in the order of the log. It holds one record at a time.
func (l *live) points(ctx context.Context) iter.Seq2[export.Point, error] {
	return func(yield func(export.Point, error) bool) {
		at := l.commits(ctx)
		defer at.stop()
		for f, err := range l.log(ledger.Events).Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Step}}) {
			if err != nil {
				yield(export.Point{}, err)
				return
			}
			if err := readable(l.log(ledger.Events), f); err != nil {
				yield(export.Point{}, err)
				return
			}
			if !stepPoints(f, at.of(f.Seq), yield) {
				return
			}
		}
	}
}

func stepPoints(f *ledger.Frame, at time.Time, yield func(export.Point, error) bool) bool {
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	err := proto.Unmarshal(f.Stored, &rec)
	if err == nil {
		err = proto.Unmarshal(rec.GetFacts(), &facts)
	}
	if err != nil {
		yield(export.Point{}, fmt.Errorf("STEP record %d: %w", f.Seq, err))
		return false
	}
	for _, m := range facts.GetMetrics() {
		v, ok := monitor.Value(m)
		if !ok {
			continue
		}
		v.Unit = unit(v)
		if !yield(export.Point{Attempt: facts.GetBranch(), Step: facts.GetStep(), Value: v, At: at}, nil) {
			return false
		}
	}
	return true
}

// commits walks the log timing beside the events: both are in the order of seq, so one pass is enough and nothing grows
// with the run.
type commits struct {
	next func() (*ledger.Frame, error, bool)
	stop func()
	now  store.CommitRecord
	end  bool
}

func (l *live) commits(ctx context.Context) *commits {
	c := &commits{}
	c.next, c.stop = iter.Pull2(l.log(ledger.Timing).Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Commit}}))
	return c
}

// of is when an event became durable; zero where timing lost it, or cannot be read: it holds no facts of the run, so an
// export goes on without.
func (c *commits) of(seq uint64) time.Time {
	for !c.end && (c.now.At.IsZero() || c.now.Last < seq) {
		f, err, ok := c.next()
		if !ok || err != nil {
			c.end = true
			break
		}
		rec, err := store.ParseCommit(f.Stored)
		if err != nil {
			c.end = true
			break
		}
		rec.Volatile = nil // it points into the frame
		c.now = rec
	}
	if seq < c.now.First || seq > c.now.Last {
		return time.Time{}
	}
	return c.now.At
}
