package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/store"
)

// Filter selects alerts of a tenant, newest first.
type Filter struct {
	Tenant string
	Sink   string // empty is all
	States []recorderv1.AlertState
	Before int64 // id; 0 begins with the newest
	Limit  int
}

// states of the table by those of the contract.
var states = map[recorderv1.AlertState]int{recorderv1.AlertState_ALERT_STATE_WAITING: waiting, recorderv1.AlertState_ALERT_STATE_SENT: sent,
	recorderv1.AlertState_ALERT_STATE_DEAD: dead}

// List reads alerts, also those of sinks that are no longer configured: what they did not take is still there.
func (a *Alerter) List(ctx context.Context, db *store.DB, f Filter) ([]*recorderv1.Alert, error) {
	where, args := "tenant = ?", []any{f.Tenant}
	if f.Sink != "" {
		where, args = where+" AND sink = ?", append(args, f.Sink)
	}
	if f.Before > 0 {
		where, args = where+" AND id < ?", append(args, f.Before)
	}
	if len(f.States) > 0 {
		where += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, s := range f.States {
			n, ok := states[s]
			if !ok {
				n = -1
			}
			args = append(args, n)
		}
	}
	rows, err := db.Query(ctx, `SELECT id, sink, body, created, due, tries, state, done, error FROM alerts WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	defer rows.Close()
	var out []*recorderv1.Alert
	for rows.Next() {
		x := &recorderv1.Alert{Anomaly: &recorderv1.Anomaly{}}
		var body []byte
		var created, due, done int64
		var state int
		if err := rows.Scan(&x.Id, &x.Sink, &body, &created, &due, &x.Tries, &state, &done, &x.Error); err != nil {
			return nil, fmt.Errorf("list alerts: %w", err)
		}
		if err := proto.Unmarshal(body, x.GetAnomaly()); err != nil {
			return nil, fmt.Errorf("alert %d: %w", x.GetId(), err)
		}
		for k, v := range states {
			if v == state {
				x.State = k
			}
		}
		x.CreateTime, x.Configured = timestamppb.New(time.Unix(0, created)), a.has(x.GetSink())
		if x.GetState() == recorderv1.AlertState_ALERT_STATE_WAITING {
			x.DueTime = timestamppb.New(time.Unix(0, due))
		} else {
			x.DoneTime = timestamppb.New(time.Unix(0, done))
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

func (a *Alerter) has(sink string) bool {
	for _, w := range a.workers {
		if w.sink.Name == sink {
			return true
		}
	}
	return false
}

// Retry puts dead letters back into the queues of their sinks: those of the ids, or all of a sink, or all. They go with the id
// that they had, as if they were new: for another 24 hours. Alerts that are no dead letters, and those of sinks that are not
// configured, are left as they are.
func (a *Alerter) Retry(ctx context.Context, tenant, sink string, ids []int64, now time.Time) (n int, err error) {
	for _, w := range a.workers {
		if sink != "" && w.sink.Name != sink {
			continue
		}
		where, args := `tenant = ? AND sink = ? AND state = 2`, []any{tenant, w.sink.Name}
		if len(ids) > 0 {
			where += " AND id IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
			for _, id := range ids {
				args = append(args, id)
			}
		}
		// A digest that nobody took is taken apart: what is still wanted of it may be one alert.
		res, err := w.d.DB.Exec(ctx, `UPDATE alerts SET state = 0, tries = 0, batch = '', created = ?, due = ?, done = 0 WHERE `+where, append([]any{now.UnixNano(), now.UnixNano()}, args...)...)
		if err != nil {
			return n, fmt.Errorf("put dead letters of sink %s back: %w", w.sink.Name, err)
		}
		k, err := res.RowsAffected()
		if err != nil {
			return n, err
		}
		n += int(k)
		left, err := w.queue.count(ctx, dead)
		if err != nil {
			return n, err
		}
		w.d.Counts.dead(w.sink.Name, left)
	}
	return n, nil
}
