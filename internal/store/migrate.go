package store

import (
	"context"
	"fmt"
)

// Migration is one step of a schema. A released one never changes; a new one is appended.
type Migration struct {
	Name string
	SQL  string
}

func (d *DB) migrate(ctx context.Context, migrations []Migration) error {
	if _, err := d.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		number INTEGER PRIMARY KEY, name TEXT NOT NULL)`); err != nil {
		return err
	}
	var done int
	if err := d.QueryRow(ctx, `SELECT COUNT(*) FROM schema_migrations`).Scan(&done); err != nil {
		return err
	}
	if done > len(migrations) {
		return fmt.Errorf("the database has %d migrations and this build knows %d: use the newer build", done, len(migrations))
	}
	for i, m := range migrations[done:] {
		number := done + i
		err := d.Within(ctx, func(tx Tx) error {
			if _, err := tx.Exec(ctx, m.SQL); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO schema_migrations (number, name) VALUES (?, ?)`, number, m.Name)
			return err
		})
		if err != nil {
			return fmt.Errorf("migration %d (%s): %w", number, m.Name, err)
		}
	}
	return nil
}
