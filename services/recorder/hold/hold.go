// Package hold keeps legal holds: who forbade that anything of a run, or of all runs of a tenant, is retired or erased.
//
// A hold counts from the moment its row is written. That the findings of its runs say so too is done after that, and noted
// run by run, so that a crash or a run that cannot be opened leaves it owed and not forgotten.
package hold

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	rolestore "github.com/provenir/provenir/internal/store"
)

// Migrations are the tables of holds.
func Migrations() []rolestore.Migration {
	return []rolestore.Migration{{Name: "holds", SQL: `
CREATE TABLE holds (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, run TEXT NOT NULL, request TEXT NOT NULL, reason TEXT NOT NULL,
	set_by TEXT NOT NULL, set_at INTEGER NOT NULL, lift_reason TEXT NOT NULL DEFAULT '', lifted_by TEXT NOT NULL DEFAULT '', lifted_at INTEGER);
CREATE UNIQUE INDEX holds_request ON holds (tenant, request) WHERE request <> '';
CREATE TABLE holds_told (hold TEXT NOT NULL, run TEXT NOT NULL, lifted INTEGER NOT NULL, PRIMARY KEY (hold, run, lifted))`}}
}

// Hold is one. Run is empty for one of the whole tenant.
type Hold struct {
	ID, Tenant, Run string
	Request         string // of the call that set it
	Reason, By      string
	At              time.Time
	Lifted          *Lift // nil while it stands
}

// Lift is its end.
type Lift struct {
	Reason, By string
	At         time.Time
}

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("no legal hold has this id")
	ErrRequest = errors.New("this request id set another hold")
)

// Table is the table of holds.
type Table struct{ DB *rolestore.DB }

const columns = `id, tenant, run, request, reason, set_by, set_at, lift_reason, lifted_by, lifted_at`

type row interface{ Scan(dest ...any) error }

func scan(r row) (Hold, error) {
	var h Hold
	var set int64
	var lifted sql.NullInt64
	var l Lift
	if err := r.Scan(&h.ID, &h.Tenant, &h.Run, &h.Request, &h.Reason, &h.By, &set, &l.Reason, &l.By, &lifted); err != nil {
		return h, err
	}
	h.At = time.UnixMilli(set).UTC()
	if lifted.Valid {
		l.At = time.UnixMilli(lifted.Int64).UTC()
		h.Lifted = &l
	}
	return h, nil
}

// Set writes a hold down, and gives the one that stands: the same request again is the same hold.
func (t Table) Set(ctx context.Context, h Hold) (Hold, error) {
	if h.Request != "" {
		was, err := scan(t.DB.QueryRow(ctx, `SELECT `+columns+` FROM holds WHERE tenant = ? AND request = ?`, h.Tenant, h.Request))
		switch {
		case err == nil && (was.Run != h.Run || was.Reason != h.Reason):
			return was, ErrRequest
		case err == nil:
			return was, nil
		case !errors.Is(err, sql.ErrNoRows):
			return h, fmt.Errorf("look for a hold: %w", err)
		}
	}
	_, err := t.DB.Exec(ctx, `INSERT INTO holds (id, tenant, run, request, reason, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		h.ID, h.Tenant, h.Run, h.Request, h.Reason, h.By, h.At.UnixMilli())
	if err != nil {
		return h, fmt.Errorf("set a hold: %w", err)
	}
	return t.Get(ctx, h.Tenant, h.ID)
}

// Get finds one of a tenant's.
func (t Table) Get(ctx context.Context, tenant, id string) (Hold, error) {
	h, err := scan(t.DB.QueryRow(ctx, `SELECT `+columns+` FROM holds WHERE tenant = ? AND id = ?`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return h, ErrUnknown
	}
	return h, err
}

// Lift ends a hold. One that was lifted stays as it was.
func (t Table) Lift(ctx context.Context, tenant, id string, l Lift) (Hold, error) {
	_, err := t.DB.Exec(ctx, `UPDATE holds SET lift_reason = ?, lifted_by = ?, lifted_at = ? WHERE tenant = ? AND id = ? AND lifted_at IS NULL`,
		l.Reason, l.By, l.At.UnixMilli(), tenant, id)
	if err != nil {
		return Hold{}, fmt.Errorf("lift a hold: %w", err)
	}
	return t.Get(ctx, tenant, id)
}

// Standing are the holds that keep a run: its own and its tenant's.
func (t Table) Standing(ctx context.Context, tenant, run string) ([]Hold, error) {
	return t.list(ctx, `tenant = ? AND run IN (?, '') AND lifted_at IS NULL`, tenant, run)
}

// List are a tenant's holds, newest first: of one run with the tenant's own, or of all runs; lifted ones too if asked for.
func (t Table) List(ctx context.Context, tenant, run string, lifted bool) ([]Hold, error) {
	where, args := `tenant = ?`, []any{tenant}
	if run != "" {
		where, args = where+` AND run IN (?, '')`, append(args, run)
	}
	if !lifted {
		where += ` AND lifted_at IS NULL`
	}
	return t.list(ctx, where, args...)
}

// All are the holds of every tenant, for who writes down what is owed.
func (t Table) All(ctx context.Context) ([]Hold, error) { return t.list(ctx, `1 = 1`) }

func (t Table) list(ctx context.Context, where string, args ...any) (out []Hold, err error) {
	rows, err := t.DB.Query(ctx, `SELECT `+columns+` FROM holds WHERE `+where+` ORDER BY set_at DESC, id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		h, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list holds: %w", err)
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// Told notes that a run's findings say that a hold was set, or lifted.
func (t Table) Told(ctx context.Context, hold, run string, lifted bool) error {
	_, err := t.DB.Exec(ctx, `INSERT INTO holds_told VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, hold, run, lifted)
	return err
}

// ToldOf are the runs whose findings say that a hold was set, or lifted.
func (t Table) ToldOf(ctx context.Context, hold string, lifted bool) (map[string]bool, error) {
	rows, err := t.DB.Query(ctx, `SELECT run FROM holds_told WHERE hold = ? AND lifted = ?`, hold, lifted)
	if err != nil {
		return nil, fmt.Errorf("runs that a hold was declared in: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var run string
		if err := rows.Scan(&run); err != nil {
			return nil, err
		}
		out[run] = true
	}
	return out, rows.Err()
}
