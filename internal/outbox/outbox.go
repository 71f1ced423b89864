// Package outbox moves messages from a role's database to NATS without losing one.
//
// A message is written in the transaction that made it necessary. The relay reads in commit order, publishes, waits
// for the stream's ack and marks. A crash in between sends a message twice; its id makes the stream drop the second.
package outbox

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provenir/provenir/internal/store"
)

// Message is what goes out.
type Message struct {
	ID      string // Nats-Msg-Id: unique for ever within the stream
	Subject string
	Headers map[string]string
	Body    []byte
}

// Migration makes the table; a role appends it to its own list.
var Migration = store.Migration{Name: "outbox", SQL: `CREATE TABLE outbox (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,
	headers TEXT NOT NULL, body BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0)`}

// Add writes a message in the caller's transaction. The same id again does nothing.
func Add(ctx context.Context, q store.Queryer, m Message) error {
	headers, err := json.Marshal(m.Headers)
	if err != nil {
		return fmt.Errorf("outbox %s: %w", m.ID, err)
	}
	_, err = q.Exec(ctx, `INSERT INTO outbox (id, subject, headers, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		m.ID, m.Subject, string(headers), m.Body)
	if err != nil {
		return fmt.Errorf("outbox %s: %w", m.ID, err)
	}
	return nil
}

// Pending is the number of messages that NATS has not taken.
func Pending(ctx context.Context, q store.Queryer) (int, error) {
	var n int
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM outbox WHERE sent = 0`).Scan(&n)
	return n, err
}
