package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// TestBusySaysRetry: a process that holds the write lock is no bug of ours, and the caller learns to come again.
func TestBusySaysRetry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "role.db")
	db, err := Open(t.Context(), path, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), "PRAGMA busy_timeout = 0"); err != nil { // the one connection keeps it
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	holder, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func(ctx context.Context) error {
		_, err := db.Exec(ctx, `INSERT INTO things VALUES ('a', 1)`)
		return err
	}
	for name, f := range map[string]func(context.Context) error{
		"statement": write,
		"transaction": func(ctx context.Context) error {
			return db.Within(ctx, func(Tx) error { return errors.New("began while another held the lock") })
		},
	} {
		err := f(t.Context())
		if status.Code(err) != codes.Unavailable || !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_OVERLOADED) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context()); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}
