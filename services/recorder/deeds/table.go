package deeds

import (
	"context"
	"database/sql"
	"fmt"

	"google.golang.org/protobuf/proto"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	rolestore "github.com/provenir/provenir/internal/store"
)

// Migrations are the table of deeds.
func Migrations() []rolestore.Migration {
	return []rolestore.Migration{{Name: "deeds", SQL: `
CREATE TABLE deeds (n INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL, event BLOB NOT NULL,
	audited INTEGER, attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '', UNIQUE (tenant, run, seq));
CREATE INDEX deeds_waiting ON deeds (audited, n)`}}
}

// Deed is a row.
type Deed struct {
	Tenant, Run string
	Seq         uint64 // in findings
	Event       *governancev1.AuditEvent
	Audited     *uint64 // its entry in the audit log
	Attempts    uint32
	LastError   string
}

// Request is the id under which it is logged: its place in findings.
func (d Deed) Request() string { return fmt.Sprintf("%s/%s/findings/%d", d.Tenant, d.Run, d.Seq) }

// Add takes a deed in. One that is there stays as it is.
func Add(ctx context.Context, q rolestore.Queryer, tenant, run string, seq uint64, e *governancev1.AuditEvent) error {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `INSERT INTO deeds (tenant, run, seq, event) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, run, seq) DO NOTHING`, tenant, run, int64(seq), b)
	return err
}

// Waiting are the oldest that the audit log does not have.
func Waiting(ctx context.Context, db *rolestore.DB, after uint64, limit int) ([]Deed, uint64, error) {
	return list(ctx, db, `audited IS NULL AND n > ?`, `n`, limit, int64(after))
}

// List are a tenant's, newest first.
func List(ctx context.Context, db *rolestore.DB, tenant, run string, waiting bool, limit int) ([]Deed, error) {
	where, args := `tenant = ?`, []any{tenant}
	if run != "" {
		where, args = where+` AND run = ?`, append(args, run)
	}
	if waiting {
		where += ` AND audited IS NULL`
	}
	out, _, err := list(ctx, db, where, `n DESC`, limit, args...)
	return out, err
}

func list(ctx context.Context, db *rolestore.DB, where, order string, limit int, args ...any) (out []Deed, last uint64, err error) {
	rows, err := db.Query(ctx, `SELECT n, tenant, run, seq, event, audited, attempts, last_error FROM deeds WHERE `+where+` ORDER BY `+order+` LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list deeds: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d := Deed{Event: &governancev1.AuditEvent{}}
		var n, seq int64
		var audited sql.NullInt64
		var b []byte
		if err := rows.Scan(&n, &d.Tenant, &d.Run, &seq, &b, &audited, &d.Attempts, &d.LastError); err != nil {
			return nil, 0, err
		}
		if err := proto.Unmarshal(b, d.Event); err != nil {
			return nil, 0, fmt.Errorf("deed %d of run %s: %w", seq, d.Run, err)
		}
		d.Seq, last = uint64(seq), uint64(n)
		if audited.Valid {
			at := uint64(audited.Int64)
			d.Audited = &at
		}
		out = append(out, d)
	}
	return out, last, rows.Err()
}

// Count is how many of a tenant's wait.
func Count(ctx context.Context, db *rolestore.DB, tenant string) (n uint64, err error) {
	err = db.QueryRow(ctx, `SELECT COUNT(*) FROM deeds WHERE tenant = ? AND audited IS NULL`, tenant).Scan(&n)
	return n, err
}

// Get finds one; sql.ErrNoRows before the findings were taken over.
func Get(ctx context.Context, db *rolestore.DB, tenant, run string, seq uint64) (Deed, error) {
	out, _, err := list(ctx, db, `tenant = ? AND run = ? AND seq = ?`, `n`, 1, tenant, run, int64(seq))
	if err == nil && len(out) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return Deed{}, err
	}
	return out[0], nil
}

// Audited notes a deed's entry in the audit log.
func Audited(ctx context.Context, db *rolestore.DB, d Deed, index uint64) error {
	_, err := db.Exec(ctx, `UPDATE deeds SET audited = ?, attempts = attempts + 1, last_error = '' WHERE tenant = ? AND run = ? AND seq = ?`, int64(index), d.Tenant, d.Run, int64(d.Seq))
	return err
}

// Failed notes why an attempt failed.
func Failed(ctx context.Context, db *rolestore.DB, d Deed, why string) error {
	_, err := db.Exec(ctx, `UPDATE deeds SET attempts = attempts + 1, last_error = ? WHERE tenant = ? AND run = ? AND seq = ?`, why, d.Tenant, d.Run, int64(d.Seq))
	return err
}
