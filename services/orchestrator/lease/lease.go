// Package lease gives a run exactly one writer.
//
// A lease is a row (run, owner, epoch, expiry). Whoever takes it over raises the epoch, and trainer and recorder refuse
// frames of a lower one: a process that was paused and wakes up as an owner in its own eyes can do no harm.
package lease

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/provenir/provenir/internal/store"
)

// Migration makes the table.
var Migration = store.Migration{Name: "leases", SQL: `CREATE TABLE leases (
	run TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL, expiry INTEGER NOT NULL)`}

// Term is how long a lease lasts; it is renewed three times in that time.
const (
	Term  = 10 * time.Second
	Renew = 3 * time.Second
)

// Grant is the right to write a run until Expiry, as long as nobody has taken Epoch further.
type Grant struct {
	Run    string
	Owner  string
	Epoch  uint64 // fencing token; grows by one with every change of owner
	Expiry time.Time
}

// ErrHeld is the answer while somebody else's lease runs.
var ErrHeld = errors.New("the run has another owner")

// ErrLost is the answer to a renewal after somebody else took over.
var ErrLost = errors.New("the lease was taken over")

// Leases are the rows of one database.
type Leases struct{ db *store.DB }

// New keeps leases in db.
func New(db *store.DB) *Leases { return &Leases{db} }

// Acquire takes the lease of a run that has none, or whose lease has run out, or that is the owner's own already. With
// sole the caller knows that every earlier owner is dead (it holds the lock of the data folder) and does not wait.
func (l *Leases) Acquire(ctx context.Context, run, owner string, now time.Time, sole bool) (Grant, error) {
	g := Grant{Run: run, Owner: owner, Expiry: now.Add(Term)}
	err := l.db.Within(ctx, func(tx store.Tx) error {
		var holder string
		var expiry int64
		err := tx.QueryRow(ctx, `SELECT owner, epoch, expiry FROM leases WHERE run = ?`, run).Scan(&holder, &g.Epoch, &expiry)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case holder != owner && !sole && now.UnixMilli() < expiry:
			return ErrHeld
		}
		g.Epoch++
		_, err = tx.Exec(ctx, `INSERT INTO leases (run, owner, epoch, expiry) VALUES (?, ?, ?, ?)
			ON CONFLICT (run) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expiry = excluded.expiry`,
			run, owner, g.Epoch, g.Expiry.UnixMilli())
		return err
	})
	if err != nil {
		return Grant{}, fmt.Errorf("lease of run %s: %w", run, err)
	}
	return g, nil
}

// Extend renews a grant; ErrLost when the epoch has moved on.
func (l *Leases) Extend(ctx context.Context, g Grant, now time.Time) (Grant, error) {
	g.Expiry = now.Add(Term)
	res, err := l.db.Exec(ctx, `UPDATE leases SET expiry = ? WHERE run = ? AND owner = ? AND epoch = ?`,
		g.Expiry.UnixMilli(), g.Run, g.Owner, g.Epoch)
	if err != nil {
		return g, fmt.Errorf("lease of run %s: %w", g.Run, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return g, errors.Join(fmt.Errorf("lease of run %s, epoch %d: %w", g.Run, g.Epoch, ErrLost), err)
	}
	return g, nil
}

// Release ends a grant, so that the next owner need not wait.
func (l *Leases) Release(ctx context.Context, g Grant) error {
	_, err := l.db.Exec(ctx, `UPDATE leases SET expiry = 0 WHERE run = ? AND owner = ? AND epoch = ?`, g.Run, g.Owner, g.Epoch)
	return err
}
