// Package fence remembers the highest lease epoch of each run, on disk: a writer that was paused and wakes up as owner
// in its own eyes can do no harm.
package fence

import (
	"context"
	"fmt"

	"github.com/provenir/provenir/internal/store"
)

// Migration makes the table.
var Migration = store.Migration{Name: "fence", SQL: `CREATE TABLE fence (run TEXT PRIMARY KEY, epoch INTEGER NOT NULL)`}

// Fence checks epochs.
type Fence struct{ db *store.DB }

// New keeps epochs in db.
func New(db *store.DB) *Fence { return &Fence{db} }

// Stale is the refusal of an epoch below the highest one seen.
type Stale struct {
	Run           string
	Epoch, Latest uint64
}

func (s Stale) Error() string {
	return fmt.Sprintf("run %s has an owner of epoch %d; epoch %d is stale", s.Run, s.Latest, s.Epoch)
}

// Enter takes an epoch at least as high as any before, and refuses a lower one with Stale.
func (f *Fence) Enter(ctx context.Context, run string, epoch uint64) error {
	return f.db.Within(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO fence (run, epoch) VALUES (?, ?)
			ON CONFLICT (run) DO UPDATE SET epoch = max(epoch, excluded.epoch)`, run, epoch); err != nil {
			return fmt.Errorf("fence of run %s: %w", run, err)
		}
		var latest uint64
		if err := tx.QueryRow(ctx, `SELECT epoch FROM fence WHERE run = ?`, run).Scan(&latest); err != nil {
			return fmt.Errorf("fence of run %s: %w", run, err)
		}
		if epoch < latest {
			return Stale{run, epoch, latest}
		}
		return nil
	})
}
