// Package roster lists the runs of trackers, so that a list of them opens no log. It is a copy: every row can be made again
// from the run's logs. Who writes a run now is not in it.
package roster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/store"
)

// Migrations are the roster's table.
func Migrations() []store.Migration {
	return []store.Migration{{Name: "tracked_runs", SQL: `
CREATE TABLE tracked_runs (tenant TEXT NOT NULL, run TEXT NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL,
	method TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tenant, run));
CREATE INDEX tracked_runs_created ON tracked_runs (tenant, created, run)`}}
}

// ErrNone tells that a tenant has no such run.
var ErrNone = errors.New("no tracked run of that name")

// AmbiguousError is the answer to a prefix that several runs have.
type AmbiguousError struct {
	Prefix string
	Some   []string // two of them
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s fits several runs, %s among them: give more of it", e.Prefix, strings.Join(e.Some, " and "))
}

// Open is the state in the table of a run that has no end: whether somebody writes it, only the leases know.
const Open = recorderv1.TrackedState_TRACKED_STATE_SILENT

// Put adds a run or replaces what was known of it. The config stays in the log.
func Put(ctx context.Context, q store.Queryer, tenant string, r *recorderv1.TrackedRun) error {
	if r.GetState() == recorderv1.TrackedState_TRACKED_STATE_WRITING || r.GetState() == recorderv1.TrackedState_TRACKED_STATE_UNSPECIFIED {
		return fmt.Errorf("list run %s: %s is no state of the table", r.GetRun(), r.GetState())
	}
	body, err := proto.Marshal(r)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `INSERT INTO tracked_runs (tenant, run, created, state, method, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, run) DO UPDATE SET state = excluded.state, method = excluded.method, body = excluded.body`,
		tenant, r.GetRun(), r.GetCreateTime().AsTime().UnixMilli(), int32(r.GetState()), r.GetMethod(), body)
	if err != nil {
		return fmt.Errorf("list run %s: %w", r.GetRun(), err)
	}
	return nil
}

// Get reads one by its uid.
func Get(ctx context.Context, q store.Queryer, tenant, run string) (*recorderv1.TrackedRun, error) {
	rows, err := read(ctx, q, `SELECT body FROM tracked_runs WHERE tenant = ? AND run = ?`, tenant, run)
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(err, missing(len(rows)))
	}
	return rows[0], nil
}

// Find reads one by a uid, an unambiguous prefix of one, or @last.
func Find(ctx context.Context, q store.Queryer, tenant, name string) (*recorderv1.TrackedRun, error) {
	query, args := `SELECT body FROM tracked_runs WHERE tenant = ? AND run >= ? AND run < ? ORDER BY created DESC, run DESC LIMIT 2`, []any{tenant, name, name + "~"}
	if name == "@last" {
		query, args = `SELECT body FROM tracked_runs WHERE tenant = ? ORDER BY created DESC, run DESC LIMIT 1`, []any{tenant}
	}
	rows, err := read(ctx, q, query, args...)
	switch {
	case err != nil || len(rows) == 0:
		return nil, errors.Join(err, missing(len(rows)))
	case len(rows) > 1:
		return nil, &AmbiguousError{name, []string{rows[0].GetRun(), rows[1].GetRun()}}
	}
	return rows[0], nil
}

func missing(n int) error {
	if n == 0 {
		return ErrNone
	}
	return nil
}

// Place is a run's place in the list, newest first. Its zero value is before the newest.
type Place struct {
	CreatedMS int64
	Run       string
}

// PlaceOf gives a run's.
func PlaceOf(r *recorderv1.TrackedRun) Place {
	return Place{r.GetCreateTime().AsTime().UnixMilli(), r.GetRun()}
}

// Filter selects runs. Its zero value is all of a tenant's.
type Filter struct {
	Tenant  string
	States  []recorderv1.TrackedState // of the table
	Methods []string
	FromMS  *int64 // made at this time or later
	UntilMS *int64 // made before this time
	Behind  Place
	Limit   int
}

// List gives runs, newest first.
func List(ctx context.Context, q store.Queryer, f Filter) ([]*recorderv1.TrackedRun, error) {
	where, args := []string{"tenant = ?"}, []any{f.Tenant}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.Behind.Run != "" {
		add("(created < ? OR (created = ? AND run < ?))", f.Behind.CreatedMS, f.Behind.CreatedMS, f.Behind.Run)
	}
	if f.FromMS != nil {
		add("created >= ?", *f.FromMS)
	}
	if f.UntilMS != nil {
		add("created < ?", *f.UntilMS)
	}
	var states, methods []any
	for _, s := range f.States {
		states = append(states, int32(s))
	}
	for _, m := range f.Methods {
		methods = append(methods, m)
	}
	for _, c := range []struct {
		column string
		values []any
	}{{"state", states}, {"method", methods}} {
		if len(c.values) > 0 {
			add(c.column+" IN (?"+strings.Repeat(", ?", len(c.values)-1)+")", c.values...)
		}
	}
	return read(ctx, q, `SELECT body FROM tracked_runs WHERE `+strings.Join(where, " AND ")+` ORDER BY created DESC, run DESC LIMIT ?`, append(args, f.Limit)...)
}

func read(ctx context.Context, q store.Queryer, query string, args ...any) ([]*recorderv1.TrackedRun, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the list of tracked runs: %w", err)
	}
	defer rows.Close()
	var out []*recorderv1.TrackedRun
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read the list of tracked runs: %w", err)
		}
		r := &recorderv1.TrackedRun{}
		if err := proto.Unmarshal(body, r); err != nil {
			return nil, fmt.Errorf("a row of the list of tracked runs: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
