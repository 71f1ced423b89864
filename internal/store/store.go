// Package store opens the SQL database of a role.
//
// Each role owns its tables and reads no other's: embedded, that is one SQLite file a role. Queries are written with ?
// placeholders; DB rewrites them for the dialect, so that a role does not know which database it has. PostgreSQL goes
// behind Open under postgres:// and is not built yet: Open says so.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrUnsupported is the answer to a database that this build cannot open.
var ErrUnsupported = errors.New("store: this build opens SQLite files only; leave store.url empty, or give a file path")

// DB is a role's database.
type DB struct {
	sql *sql.DB
}

// Open opens or makes the database at a file path and brings its tables up to date.
// SQLite runs in WAL mode with synchronous=FULL: a commit that returned survives a power cut.
func Open(ctx context.Context, where string, migrations []Migration) (*DB, error) {
	if strings.Contains(where, "://") {
		return nil, fmt.Errorf("open %s: %w", redact(where), ErrUnsupported)
	}
	if err := os.MkdirAll(filepath.Dir(where), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", where, err)
	}
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(1)"},
		"_txlock": {"immediate"}}
	// Escaped: # and ? in a folder's name would end the path, and two roles would share one file.
	file := url.URL{Path: where}
	db, err := sql.Open("sqlite", "file:"+file.EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, err)
	}
	// One connection: SQLite has one writer anyway, and a second connection would only wait in busy_timeout.
	db.SetMaxOpenConns(1)
	d := &DB{sql: db}
	if err := d.migrate(ctx, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("bring %s up to date: %w", where, err), db.Close())
	}
	return d, nil
}

// Close closes the database.
func (d *DB) Close() error { return d.sql.Close() }

// Ping says whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.sql.PingContext(ctx) }

// Queryer is what DB and Tx share.
type Queryer interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// Exec runs one statement.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r, err := d.sql.ExecContext(ctx, query, args...)
	return r, named(err)
}

// Query reads rows; the caller closes them.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.sql.QueryContext(ctx, query, args...)
}

// QueryRow reads one row.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.sql.QueryRowContext(ctx, query, args...)
}

// Tx is a transaction.
type Tx struct {
	tx    *sql.Tx
	stmts map[string]*sql.Stmt // closed by the transaction's end
}

// Exec runs one statement. The database reads its text once in a transaction, however often it runs.
func (t Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, ok := t.stmts[query]
	if !ok {
		var err error
		if stmt, err = t.tx.PrepareContext(ctx, query); err != nil {
			return nil, named(err)
		}
		t.stmts[query] = stmt
	}
	r, err := stmt.ExecContext(ctx, args...)
	return r, named(err)
}

// Query reads rows; the caller closes them before the next statement.
func (t Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

// QueryRow reads one row.
func (t Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

// Within runs f in a transaction: committed when f returns nil, else rolled back.
func (d *DB) Within(ctx context.Context, f func(Tx) error) error {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", named(err))
	}
	if err := f(Tx{tx, map[string]*sql.Stmt{}}); err != nil {
		return errors.Join(err, rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", named(err))
	}
	return nil
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

func redact(where string) string {
	u, err := url.Parse(where)
	if err != nil {
		return "the store"
	}
	return u.Redacted()
}
