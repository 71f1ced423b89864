package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
)

// Publish gives one message to the stream and returns when the stream has it.
type Publish func(ctx context.Context, m Message) error

// Relay sends a role's outbox.
type Relay struct {
	db      *store.DB
	publish Publish
	log     *slog.Logger
	clock   clock.Clock
	wake    chan struct{}
}

// NewRelay is idle until Run.
func NewRelay(db *store.DB, publish Publish, log *slog.Logger, c clock.Clock) *Relay {
	return &Relay{db: db, publish: publish, log: log, clock: c, wake: make(chan struct{}, 1)}
}

// Wake says that something was committed; without it the relay looks once a second.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

const (
	batch   = 128 // rows a query
	keepMax = 10_000
	poll    = time.Second
	backoff = 5 * time.Second // longest wait between tries while NATS is away
)

// Run sends until ctx ends. While NATS is away messages stay and the run goes on.
func (r *Relay) Run(ctx context.Context) error {
	wait := poll
	for {
		sent, err := r.flush(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if wait == poll {
				r.log.WarnContext(ctx, "messages wait in the outbox", "error", err.Error())
			}
			wait = min(wait*2, backoff)
		case sent == batch:
			continue
		default:
			wait = poll
		}
		timer := r.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-r.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

func (r *Relay) flush(ctx context.Context) (int, error) {
	seqs, messages, err := r.read(ctx)
	if err != nil {
		return 0, err
	}
	for i, m := range messages {
		if err := r.publish(ctx, m); err != nil {
			return i, fmt.Errorf("publish %s: %w", m.Subject, err)
		}
		if _, err := r.db.Exec(ctx, `UPDATE outbox SET sent = 1 WHERE seq = ?`, seqs[i]); err != nil {
			return i, err
		}
	}
	if len(seqs) > 0 { // sent rows are kept for a while, so that an id written twice stays known
		_, err = r.db.Exec(ctx, `DELETE FROM outbox WHERE sent = 1 AND seq < ?`, seqs[len(seqs)-1]-keepMax)
	}
	return len(seqs), err
}

func (r *Relay) read(ctx context.Context) ([]int64, []Message, error) {
	rows, err := r.db.Query(ctx, `SELECT seq, id, subject, headers, body FROM outbox WHERE sent = 0 ORDER BY seq LIMIT ?`, batch)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var seqs []int64
	var messages []Message
	for rows.Next() {
		var seq int64
		var m Message
		var headers string
		if err := rows.Scan(&seq, &m.ID, &m.Subject, &headers, &m.Body); err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal([]byte(headers), &m.Headers); err != nil {
			return nil, nil, fmt.Errorf("outbox row %d: %w", seq, err)
		}
		seqs, messages = append(seqs, seq), append(messages, m)
	}
	return seqs, messages, rows.Err()
}
