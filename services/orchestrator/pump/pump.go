// Package pump moves a round of rollouts: trainer → recorder and verifier → verdicts and rewards to the recorder → the
// rewards, once they are on disk, to the trainer.
//
// A rollout's bytes are never decoded here; of a salted run the row that they name is read. Ledger and Judge each have a
// receiver of their own that never waits, and one owner sends: so a slow verifier or disk slows the trainer by its byte
// credit, and nothing can wait in a circle.
package pump

import (
	"context"
	"fmt"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rowgroup"
)

// Points where a process may die.
const (
	PointRollout faultline.Point = "pump.rollout"
	PointVerdict faultline.Point = "pump.verdict"
	PointReward  faultline.Point = "pump.reward"
	PointDurable faultline.Point = "pump.durable"
	PointPaid    faultline.Point = "pump.paid"
)

// Payer is the trainer's end.
type Payer interface {
	Pay(ctx context.Context, v *trainerv1.VerdictBatch) error
	Credit(bytes uint64) error
}

// Recorded reads records that are on disk already: those of a step that is executed again.
type Recorded func(ctx context.Context, from, to uint64) ([]*recorderv1.Event, error)

// Pump is one run's.
type Pump struct {
	Ledger   *Ledger
	Judge    *Judge
	Payer    Payer
	Recorded Recorded
	Bell     *Bell
	Clock    clock.Clock
	Fault    *faultline.Line
	Timeout  time.Duration // of a verdict; the verifier answers before it, this is for one that never does
	Second   bool          // there is a second, stricter verdict: then even a recorded rollout goes to the verifier again, which knows whether it was drawn

	// ByRow puts what belongs to one row of the dataset into an erasure group of its own; only for a salted run.
	ByRow bool

	round  []row
	frames []*trainerv1.RolloutFrame // held back while the round may be recorded already
	replay bool
	step   []row // of the step's closed rounds, where there is a second verdict

	// Counts of the run, for the last record.
	Rollouts, Scored, Clocked uint64
}

type row struct {
	Judged
	item   uint64                  // at the judge; 0 for a recorded verdict that nobody asked for again
	before *verifierv1.VerdictItem // as it was recorded; it counts in place of a fresh one
	drawn  bool                    // for a second verdict
}

// Open says whether a round was begun and not closed.
func (p *Pump) Open() bool { return len(p.round) > 0 }

// Add takes frames of the open round, in row order.
func (p *Pump) Add(ctx context.Context, frames []*trainerv1.RolloutFrame) error {
	if len(p.round) == 0 {
		p.replay = p.Ledger.Next() < p.Ledger.Recorded()
	}
	var size uint64
	records := make([]*recorderv1.Record, 0, len(frames))
	for _, f := range frames {
		records = append(records, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: f.GetBody(), Volatile: f.GetVolatile(), ErasureGroup: p.rowOf(f)})
		size += uint64(len(f.GetBody()))
	}
	if err := p.Ledger.Append(ctx, records...); err != nil {
		return fmt.Errorf("record rollouts: %w", err)
	}
	if err := p.Fault.At(PointRollout); err != nil {
		return err
	}
	from := len(p.round)
	for _, f := range frames {
		p.round = append(p.round, row{Judged: Judged{ID: f.GetRolloutId(), Group: f.GetGroupId(), Digest: f.GetDigest(), Row: p.rowOf(f)}})
	}
	if p.replay {
		p.frames = append(p.frames, frames...)
	} else if err := p.judge(ctx, from, frames); err != nil {
		return err
	}
	// Recorder and verifier have taken them, by windows of their own. Credit that came only with the rewards would never
	// come in a round that is larger than the window: the trainer waits to send its end.
	if err := p.Payer.Credit(size); err != nil {
		return fmt.Errorf("give credit back: %w", err)
	}
	return nil
}

// rowOf is the erasure group of a rollout; empty leaves it to the run's.
func (p *Pump) rowOf(f *trainerv1.RolloutFrame) string {
	if !p.ByRow {
		return ""
	}
	return rowgroup.Of(f.GetBody())
}

func (p *Pump) judge(ctx context.Context, from int, frames []*trainerv1.RolloutFrame) error {
	first, err := p.Judge.Send(ctx, frames)
	if err != nil {
		return fmt.Errorf("send rollouts to the verifier: %w", err)
	}
	for i := range frames {
		p.round[from+i].item = first + uint64(i)
	}
	return p.Fault.At(PointVerdict)
}

// Finish closes the round: it waits for the verdicts, records verdicts and rewards, waits for the disk, and pays.
func (p *Pump) Finish(ctx context.Context, step uint64, round uint32) error {
	if p.replay {
		if err := p.remember(ctx); err != nil {
			return err
		}
	}
	if err := p.collect(ctx); err != nil {
		return err
	}
	judged := make([]Judged, len(p.round))
	for i, r := range p.round {
		judged[i] = r.Judged
		p.count(r.Item.GetSummary())
	}
	records, paid, err := Records(judged)
	if err != nil {
		return err
	}
	if err := p.Ledger.Append(ctx, records...); err != nil {
		return fmt.Errorf("record rewards: %w", err)
	}
	if err := p.Fault.At(PointReward); err != nil {
		return err
	}
	// Write before reward: nothing is paid that a crash could take back.
	if err := p.Ledger.Durable(ctx, p.Ledger.Next()); err != nil {
		return fmt.Errorf("wait for the disk: %w", err)
	}
	if err := p.Fault.At(PointDurable); err != nil {
		return err
	}
	if err := p.Payer.Pay(ctx, &trainerv1.VerdictBatch{Rewards: paid, Step: step, Round: round}); err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	if p.Second {
		for _, r := range p.round {
			r.Item, r.before = nil, nil
			p.step = append(p.step, r)
		}
	} else if p.Judge != nil {
		p.Judge.Forget(p.Judge.seq + 1)
	}
	p.round, p.frames = p.round[:0], nil
	return p.Fault.At(PointPaid)
}

func (p *Pump) count(s *verifierv1.VerdictSummary) {
	p.Rollouts++
	if x := s.GetScored(); x != nil && finite(x.GetReward()) {
		p.Scored++
	}
	if s.GetTimeDependent() {
		p.Clocked++
	}
}

// Unscored is the share of rollouts of the run without a reward so far.
func (p *Pump) Unscored() uint64 { return p.Rollouts - p.Scored }
