package board

import (
	"context"

	"google.golang.org/protobuf/proto"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/store"
)

// Publish adds an event to a run's watch stream, in the caller's transaction.
func (b *Board) Publish(ctx context.Context, q store.Queryer, uid string, e *orchestratorv1.WatchRunResponse) error {
	body, err := proto.Marshal(e)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `INSERT INTO run_events (run, n, body) SELECT ?, COALESCE(MAX(n), 0) + 1, ? FROM run_events WHERE run = ?`, uid, body, uid)
	return err
}

// Events reads a run's watch stream after position n.
func (b *Board) Events(ctx context.Context, uid string, n uint64, limit int) ([]*orchestratorv1.WatchRunResponse, []uint64, error) {
	rows, err := b.db.Query(ctx, `SELECT n, body FROM run_events WHERE run = ? AND n > ? ORDER BY n LIMIT ?`, uid, n, limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var out []*orchestratorv1.WatchRunResponse
	var at []uint64
	for rows.Next() {
		var n uint64
		var body []byte
		if err := rows.Scan(&n, &body); err != nil {
			return nil, nil, err
		}
		e := &orchestratorv1.WatchRunResponse{}
		if err := proto.Unmarshal(body, e); err != nil {
			return nil, nil, err
		}
		out, at = append(out, e), append(at, n)
	}
	return out, at, rows.Err()
}

// Ask remembers what a person wants of a run.
func (b *Board) Ask(ctx context.Context, uid, what string) error {
	_, err := b.db.Exec(ctx, `UPDATE runs SET asked = ? WHERE uid = ? AND asked <> 'cancel'`, what, uid)
	b.Ring(uid)
	return err
}

// Asked says what a person wants.
func (b *Board) Asked(ctx context.Context, uid string) (string, error) {
	var what string
	err := b.db.QueryRow(ctx, `SELECT asked FROM runs WHERE uid = ?`, uid).Scan(&what)
	return what, err
}

// Changed is closed at the run's next change.
func (b *Board) Changed(uid string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.bells[uid]
	if c == nil {
		c = make(chan struct{})
		b.bells[uid] = c
	}
	return c
}

// Ring wakes those who watch a run, and the relay.
func (b *Board) Ring(uid string) {
	b.mu.Lock()
	if c := b.bells[uid]; c != nil {
		close(c)
		delete(b.bells, uid)
	}
	b.mu.Unlock()
	b.outbox()
}
