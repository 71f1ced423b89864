package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var schema = []Migration{{"things", `CREATE TABLE things (id TEXT PRIMARY KEY, n INTEGER NOT NULL)`}}

func TestMigratesOnceAndKeepsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "role", "role.db")
	db, err := Open(t.Context(), path, schema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `INSERT INTO things VALUES (?, ?)`, "a", 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	more := append(schema[:1:1], Migration{"colour", `ALTER TABLE things ADD COLUMN colour TEXT`})
	db, err = Open(t.Context(), path, more)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(t.Context(), `SELECT n FROM things WHERE id = ? AND colour IS NULL`, "a").Scan(&n); err != nil || n != 1 {
		t.Errorf("after the second migration: n=%d, %v", n, err)
	}
}

func TestOlderBuildRefusesNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "role.db")
	db, err := Open(t.Context(), path, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "newer build") {
		t.Errorf("got %v", err)
	}
}

func TestWithinRollsBack(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	boom := errors.New("boom")
	err = db.Within(t.Context(), func(tx Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO things VALUES ('b', 2)`); err != nil {
			return err
		}
		return boom
	})
	var n int
	if !errors.Is(err, boom) {
		t.Errorf("Within gave %v", err)
	}
	if err := db.QueryRow(t.Context(), `SELECT COUNT(*) FROM things`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows after a rollback, %v", n, err)
	}
}

func TestOtherDatabasesAreRefusedWithoutTheirPassword(t *testing.T) {
	_, err := Open(t.Context(), "postgres://me:secret@db/x", nil)
	if !errors.Is(err, ErrUnsupported) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestAnyFolderName(t *testing.T) {
	for _, name := range []string{"a#b", "a?b", "a%20b", "ä b"} {
		path := filepath.Join(t.TempDir(), name, "role.db")
		db, err := Open(t.Context(), path, schema)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer db.Close()
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: the database is elsewhere: %v", name, err)
		}
	}
}
