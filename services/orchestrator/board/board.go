// Package board keeps the runs that people see, their watch streams, and what people asked of them.
package board

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
)

// Migration makes the tables.
var Migration = store.Migration{Name: "runs", SQL: `
	CREATE TABLE runs (uid TEXT PRIMARY KEY, tenant TEXT NOT NULL, request_id TEXT NOT NULL, request_digest BLOB NOT NULL,
		created INTEGER NOT NULL, state INTEGER NOT NULL, algorithm INTEGER NOT NULL, asked TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL, body BLOB NOT NULL);
	CREATE UNIQUE INDEX runs_request ON runs (tenant, request_id) WHERE request_id <> '';
	CREATE TABLE run_events (run TEXT NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, n));`}

// Board is the rows of one database, with bells for those who watch in this process.
type Board struct {
	db     *store.DB
	clock  clock.Clock
	outbox func() // wakes the relay

	mu    sync.Mutex
	bells map[string]chan struct{}
}

// New keeps runs in db; wake is called when a message may wait in the outbox.
func New(db *store.DB, c clock.Clock, wake func()) *Board {
	return &Board{db: db, clock: c, outbox: wake, bells: map[string]chan struct{}{}}
}

// ErrNotFound is the answer for a run that is not there.
var ErrNotFound = errors.New("no such run")

// ErrReused is the answer to a request id that was used with another request.
var ErrReused = errors.New("the request id was used with another request")

// Create adds a run, and in the same transaction what else must be there with it; with a request id that was used before it
// gives that run.
func (b *Board) Create(ctx context.Context, tenant, requestID string, digest []byte, r *orchestratorv1.Run, also ...func(store.Tx) error) (*orchestratorv1.Run, error) {
	out := r
	err := b.db.Within(ctx, func(tx store.Tx) error {
		if requestID != "" {
			var was, body []byte
			err := tx.QueryRow(ctx, `SELECT request_digest, body FROM runs WHERE tenant = ? AND request_id = ?`, tenant, requestID).Scan(&was, &body)
			if err == nil {
				if string(was) != string(digest) {
					return ErrReused
				}
				out = &orchestratorv1.Run{}
				return proto.Unmarshal(body, out)
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		body, err := proto.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO runs (uid, tenant, request_id, request_digest, created, state, algorithm, version, body) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`,
			r.GetUid(), tenant, requestID, digest, r.GetCreateTime().AsTime().UnixMilli(), int32(r.GetState()), int32(r.GetSpec().GetAlgorithm()), body); err != nil {
			return err
		}
		for _, f := range also {
			if err := f(tx); err != nil {
				return err
			}
		}
		return b.Publish(ctx, tx, r.GetUid(), &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Run{Run: r}})
	})
	return out, err
}

// Get reads a run of a tenant by uid, unambiguous prefix, or @last.
func (b *Board) Get(ctx context.Context, tenant, name string) (*orchestratorv1.Run, error) {
	query, args := `SELECT body FROM runs WHERE tenant = ? AND uid >= ? AND uid < ? ORDER BY created DESC, uid DESC LIMIT 2`, []any{tenant, name, name + "~"}
	if name == "@last" {
		query, args = `SELECT body FROM runs WHERE tenant = ? ORDER BY created DESC, uid DESC LIMIT 1`, []any{tenant}
	}
	rows, err := b.read(ctx, query, args...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	case len(rows) > 1:
		return nil, Ambiguous{name, []string{rows[0].GetUid(), rows[1].GetUid()}}
	}
	return rows[0], nil
}

// Ambiguous is the answer to a prefix that fits several runs.
type Ambiguous struct {
	Prefix string
	Some   []string
}

func (a Ambiguous) Error() string {
	return fmt.Sprintf("%s fits several runs, %s among them: give more of it", a.Prefix, strings.Join(a.Some, " and "))
}

// Place is a run's place in a list. Its zero value is before the newest.
type Place struct {
	CreatedMS int64
	UID       string
}

// PlaceOf gives a run's.
func PlaceOf(r *orchestratorv1.Run) Place {
	return Place{r.GetCreateTime().AsTime().UnixMilli(), r.GetUid()}
}

// List reads runs of a tenant, newest first, after a place. A place stays where it is when runs are created or deleted
// between two pages; a number of runs to skip would not.
func (b *Board) List(ctx context.Context, tenant string, f Filter, after Place, limit int) ([]*orchestratorv1.Run, error) {
	where, args := "", []any{tenant}
	if after.UID != "" {
		where = " AND (created < ? OR (created = ? AND uid < ?))"
		args = append(args, after.CreatedMS, after.CreatedMS, after.UID)
	}
	where, args = among(where, args, "state", f.States)
	where, args = among(where, args, "algorithm", f.Algorithms)
	if !f.From.IsZero() {
		where, args = where+" AND created >= ?", append(args, f.From.UnixMilli())
	}
	if !f.Before.IsZero() {
		where, args = where+" AND created < ?", append(args, f.Before.UnixMilli())
	}
	return b.read(ctx, `SELECT body FROM runs WHERE tenant = ?`+where+` ORDER BY created DESC, uid DESC LIMIT ?`, append(args, limit)...)
}

// Filter says which runs are wanted; an empty field wants all.
type Filter struct {
	States     []orchestratorv1.RunState
	Algorithms []trainerv1.Algorithm
	From       time.Time // made at this time or later
	Before     time.Time
}

func among[E ~int32](where string, args []any, column string, values []E) (string, []any) {
	if len(values) == 0 {
		return where, args
	}
	for _, v := range values {
		args = append(args, int32(v))
	}
	return where + " AND " + column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", args
}

// Alive reads the runs of every tenant that have not ended, oldest first, with their tenants.
func (b *Board) Alive(ctx context.Context, ended func(orchestratorv1.RunState) bool) (runs []*orchestratorv1.Run, tenants []string, err error) {
	args := []any{}
	for s := range orchestratorv1.RunState_name {
		if ended(orchestratorv1.RunState(s)) { // the many that have ended are not even read
			args = append(args, s)
		}
	}
	rows, err := b.db.Query(ctx, `SELECT tenant, body FROM runs WHERE state NOT IN (-1`+strings.Repeat(", ?", len(args))+`) ORDER BY created, uid`, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var tenant string
		var body []byte
		if err := rows.Scan(&tenant, &body); err != nil {
			return nil, nil, err
		}
		r := &orchestratorv1.Run{}
		if err := proto.Unmarshal(body, r); err != nil {
			return nil, nil, err
		}
		if !ended(r.GetState()) {
			runs, tenants = append(runs, r), append(tenants, tenant)
		}
	}
	return runs, tenants, rows.Err()
}

func (b *Board) read(ctx context.Context, query string, args ...any) ([]*orchestratorv1.Run, error) {
	rows, err := b.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*orchestratorv1.Run
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		r := &orchestratorv1.Run{}
		if err := proto.Unmarshal(body, r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Delete forgets a run and its watch stream.
func (b *Board) Delete(ctx context.Context, uid string) error {
	return b.db.Within(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM run_events WHERE run = ?`, uid); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM runs WHERE uid = ?`, uid)
		return err
	})
}

// Update changes a run, and in the same transaction what belongs to the change. A change that people should see (state,
// waiting, failure, end) becomes an event.
func (b *Board) Update(ctx context.Context, uid string, f func(*orchestratorv1.Run), also ...func(store.Tx) error) error {
	err := b.db.Within(ctx, func(tx store.Tx) error {
		var body []byte
		if err := tx.QueryRow(ctx, `SELECT body FROM runs WHERE uid = ?`, uid).Scan(&body); err != nil {
			return err
		}
		r := &orchestratorv1.Run{}
		if err := proto.Unmarshal(body, r); err != nil {
			return err
		}
		if r.Progress == nil {
			r.Progress = &orchestratorv1.Progress{}
		}
		before := proto.CloneOf(r)
		f(r)
		if proto.Equal(before, r) {
			return nil
		}
		for _, more := range also {
			if err := more(tx); err != nil {
				return err
			}
		}
		seen := r.GetState() != before.GetState() || r.GetProgress().GetWaiting() != before.GetProgress().GetWaiting() ||
			r.GetProgress().GetChecked() != before.GetProgress().GetChecked() || r.GetFailure() != nil
		r.UpdateTime = timestamppb.New(b.clock.Now().Truncate(time.Millisecond))
		var version int64
		if err := tx.QueryRow(ctx, `UPDATE runs SET version = version + 1 WHERE uid = ? RETURNING version`, uid).Scan(&version); err != nil {
			return err
		}
		r.Etag = fmt.Sprintf("%x", version)
		body, err := proto.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE runs SET state = ?, body = ? WHERE uid = ?`, int32(r.GetState()), body, uid); err != nil || !seen {
			return err
		}
		return b.Publish(ctx, tx, uid, &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Run{Run: r}})
	})
	if err != nil {
		return fmt.Errorf("update run %s: %w", uid, err)
	}
	b.Ring(uid)
	return nil
}
