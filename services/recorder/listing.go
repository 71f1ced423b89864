package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/roster"
	"github.com/provenir/provenir/services/recorder/store"
)

// enlist brings the roster up to date with a tracked run's logs. head is its row open where the caller has it: what stands
// in it may not be on disk yet, because timing is synced once a second.
func (s *Service) enlist(ctx context.Context, l *live, head *spool.Row) error {
	r, err := roster.Get(ctx, s.d.DB, l.tenant, l.run.ID)
	if errors.Is(err, roster.ErrNone) {
		r, err = l.begun(ctx, head)
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	st, spec := l.mon.Stats(), l.mon.Spec()
	r.Steps, r.Rollouts, r.Method, r.Model = st.Steps, st.Rollouts, spec.Method, spec.Model
	r.Privacy = recorderv1.Privacy_PRIVACY_PLAIN
	if l.salted {
		r.Privacy = recorderv1.Privacy_PRIVACY_SALTED
	}
	l.mu.Unlock()
	r.State, r.Partial = roster.Open, true
	if l.run.Sealed() {
		if err := l.ended(ctx, r); err != nil {
			return err
		}
	}
	return roster.Put(ctx, s.d.DB, l.tenant, r)
}

// begun is what a run's first row says of it.
func (l *live) begun(ctx context.Context, head *spool.Row) (*recorderv1.TrackedRun, error) {
	ms, ok := idgen.Time(l.run.ID)
	if !ok {
		return nil, fmt.Errorf("%s is no id of a run", l.run.ID)
	}
	r := &recorderv1.TrackedRun{Run: l.run.ID, CreateTime: timestamppb.New(time.UnixMilli(int64(ms)))}
	if head != nil {
		r.Name, r.Host, r.Pid, r.Sdk = head.Name, head.Host, head.PID, head.SDK
		return r, nil
	}
	beside, err := l.run.Volatile(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	var said struct {
		Name string `json:"name"`
		Host string `json:"host"`
		PID  int64  `json:"pid"`
		SDK  string `json:"sdk"`
	}
	if b := beside[0]; len(b) > 0 && json.Unmarshal(b, &said) == nil {
		r.Name, r.Host, r.Pid, r.Sdk = said.Name, said.Host, said.PID, said.SDK
	}
	return r, nil
}

// ended reads how a sealed run ended. What cannot be read is not made up.
func (l *live) ended(ctx context.Context, r *recorderv1.TrackedRun) error {
	r.State = recorderv1.TrackedState_TRACKED_STATE_UNREADABLE
	events := l.log(ledger.Events)
	seq := events.Durable() - 1 // a sealed run has an end
	for f, err := range events.Events(ctx, store.Query{From: seq}) {
		if store.KindOf(err) == store.Corrupt {
			return nil
		}
		if err != nil {
			return err
		}
		var c orchestratorv1.RunClose
		if f.Type != ledger.RunClose || store.Unreadable(f) != "" || proto.Unmarshal(f.Stored, &c) != nil {
			return nil
		}
		r.State = recorderv1.TrackedState_TRACKED_STATE_BROKEN
		if c.GetOutcome() == trainerv1.Outcome_OUTCOME_COMPLETED {
			r.State = recorderv1.TrackedState_TRACKED_STATE_COMPLETED
		}
		r.Partial, r.Dropped, r.Invalid, r.Error = c.GetPartial(), c.GetDropped(), c.GetInvalid(), c.GetError()
	}
	beside, err := l.run.Volatile(ctx, seq, seq)
	if err != nil {
		return err
	}
	var said struct {
		At time.Time `json:"at"`
	}
	if b := beside[seq]; len(b) > 0 && json.Unmarshal(b, &said) == nil && !said.At.IsZero() {
		r.EndTime = timestamppb.New(said.At)
	}
	return nil
}

// declared is what the caller said of the run; empty where it said nothing that can still be read.
func (l *live) declared(ctx context.Context) (string, error) {
	events := l.log(ledger.Events)
	for f, err := range events.Events(ctx, store.Query{To: min(events.Durable(), 16), Types: []ledger.RecordType{ledger.Config}}) {
		if err != nil {
			if store.KindOf(err) == store.Corrupt {
				return "", nil
			}
			return "", err
		}
		var c orchestratorv1.ConfigRecord
		if store.Unreadable(f) != "" || proto.Unmarshal(f.Stored, &c) != nil {
			return "", nil
		}
		return string(c.GetDeclared()), nil
	}
	return "", nil
}

// unlisted tells whether the roster has to learn of a run: of one of an earlier version, or whose last row a crash cut off.
func (s *Service) unlisted(ctx context.Context, tenant, run string) (bool, error) {
	if !idgen.Tracked(run) {
		return false, nil
	}
	r, err := roster.Get(ctx, s.d.DB, tenant, run)
	if errors.Is(err, roster.ErrNone) {
		return true, nil
	}
	return r.GetState() == roster.Open, err
}
