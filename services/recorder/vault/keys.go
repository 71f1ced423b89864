package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/store"
)

// Migrations are the vault's tables.
func Migrations() []rolestore.Migration {
	return []rolestore.Migration{{Name: "vault", SQL: `
CREATE TABLE salted_runs (tenant TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (tenant, run));
CREATE TABLE erasure_groups (id BLOB PRIMARY KEY, tenant TEXT NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL,
	key BLOB, salt BLOB, UNIQUE (tenant, run, name))`}}
}

// LaterMigrations are tables that came after others had theirs: a released order never changes.
func LaterMigrations() []rolestore.Migration {
	return []rolestore.Migration{{Name: "erased_runs", SQL: `
CREATE TABLE erased_runs (tenant TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (tenant, run))`}}
}

// MarkSalted notes, durably, that a run's payloads are encrypted.
func (v *Vault) MarkSalted(ctx context.Context, tenant, run string) error {
	_, err := v.db.Exec(ctx, `INSERT INTO salted_runs VALUES (?, ?) ON CONFLICT DO NOTHING`, tenant, run)
	return err
}

// Salted tells whether a run's payloads are encrypted.
func (v *Vault) Salted(ctx context.Context, tenant, run string) (bool, error) {
	var n int
	err := v.db.QueryRow(ctx, `SELECT COUNT(*) FROM salted_runs WHERE tenant = ? AND run = ?`, tenant, run).Scan(&n)
	return n > 0, err
}

// named gives a group's keys, and makes them the first time: they are durable before a payload is stored under them.
func (v *Vault) named(ctx context.Context, n name) (*group, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	g := v.byName[n]
	if g == nil {
		var err error
		if g, err = v.find(ctx, `tenant = ? AND run = ? AND name = ?`, n.tenant, n.run, n.group); errors.Is(err, sql.ErrNoRows) {
			g, err = v.make(ctx, n)
		}
		if errors.Is(err, store.ErrErased) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("keys of an erasure group of run %s: %w", n.run, err)
		}
		v.keep(n, g)
	}
	if g.erased() {
		return nil, store.ErrErased
	}
	return g, nil
}

func (v *Vault) numbered(ctx context.Context, id [idSize]byte) (*group, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	g := v.byID[id]
	if g == nil {
		var err error
		if g, err = v.find(ctx, `id = ?`, id[:]); errors.Is(err, sql.ErrNoRows) {
			return nil, store.ErrNoKey
		}
		if err != nil {
			return nil, fmt.Errorf("keys of an erasure group: %w", err)
		}
		v.keep(name{}, g)
	}
	if g.erased() {
		return nil, store.ErrErased
	}
	return g, nil
}

func (v *Vault) find(ctx context.Context, where string, args ...any) (*group, error) {
	g := &group{}
	var id []byte
	err := v.db.QueryRow(ctx, `SELECT id, key, salt FROM erasure_groups WHERE `+where, args...).Scan(&id, &g.key, &g.salt)
	if err != nil {
		return nil, err
	}
	if len(id) != idSize || g.key != nil && (len(g.key) != keySize || len(g.salt) != saltSize) {
		return nil, errors.New("the database holds a key of another length")
	}
	copy(g.id[:], id)
	return g, nil
}

func (v *Vault) make(ctx context.Context, n name) (*group, error) {
	erased, err := v.erasedRun(ctx, n.tenant, n.run)
	if err != nil {
		return nil, err
	}
	if erased {
		return nil, store.ErrErased
	}
	b := make([]byte, idSize+keySize+saltSize)
	if _, err := io.ReadFull(v.random, b); err != nil {
		return nil, err
	}
	g := &group{key: b[idSize : idSize+keySize], salt: b[idSize+keySize:]}
	copy(g.id[:], b)
	_, err = v.db.Exec(ctx, `INSERT INTO erasure_groups (id, tenant, run, name, key, salt) VALUES (?, ?, ?, ?, ?, ?)`,
		g.id[:], n.tenant, n.run, n.group, g.key, g.salt)
	return g, err
}

// keep remembers a group. The caller holds mu.
func (v *Vault) keep(n name, g *group) {
	if len(v.byID) >= maxCached {
		clear(v.byID)
		clear(v.byName)
	}
	v.byID[g.id] = g
	if n != (name{}) {
		v.byName[n] = g
	}
}

// ErrNoGroup tells that a run has no group of that name.
var ErrNoGroup = errors.New("no record of the run was written under that erasure group")

// Erase destroys a group's key and salt, in the file too, and gives its number. Erasing again changes nothing. What an
// earlier backup of the database holds is out of its reach.
func (v *Vault) Erase(ctx context.Context, tenant, run, grp string) ([idSize]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	g, err := v.find(ctx, `tenant = ? AND run = ? AND name = ?`, tenant, run, grp)
	if errors.Is(err, sql.ErrNoRows) {
		return [idSize]byte{}, ErrNoGroup
	}
	if err != nil {
		return [idSize]byte{}, err
	}
	clear(v.byID)
	clear(v.byName)
	if err := v.destroy(ctx, `id = ?`, g.id[:]); err != nil {
		return g.id, fmt.Errorf("destroy the keys of an erasure group: %w", err)
	}
	return g.id, nil
}

// EraseRun destroys the keys and salts of all groups of a run, and lets it have no new ones. Erasing again changes nothing.
func (v *Vault) EraseRun(ctx context.Context, tenant, run string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.byID)
	clear(v.byName)
	if _, err := v.db.Exec(ctx, `INSERT INTO erased_runs VALUES (?, ?) ON CONFLICT DO NOTHING`, tenant, run); err != nil {
		return fmt.Errorf("destroy the keys of a run: %w", err)
	}
	if err := v.destroy(ctx, `tenant = ? AND run = ?`, tenant, run); err != nil {
		return fmt.Errorf("destroy the keys of a run: %w", err)
	}
	return nil
}

func (v *Vault) erasedRun(ctx context.Context, tenant, run string) (bool, error) {
	var n int
	err := v.db.QueryRow(ctx, `SELECT COUNT(*) FROM erased_runs WHERE tenant = ? AND run = ?`, tenant, run).Scan(&n)
	return n > 0, err
}

func (v *Vault) destroy(ctx context.Context, where string, args ...any) error {
	if _, err := v.db.Exec(ctx, `PRAGMA secure_delete = ON`); err != nil { // freed bytes of a page are overwritten
		return err
	}
	if _, err := v.db.Exec(ctx, `UPDATE erasure_groups SET key = NULL, salt = NULL WHERE `+where, args...); err != nil {
		return err
	}
	// The log of writes still has the page as it was. A reader of another process keeps it there, which is no error of
	// SQLite's but a row that says so.
	var busy, pages, moved int
	if err := v.db.QueryRow(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return ErrStillThere
	}
	return nil
}

// ErrStillThere tells that nobody reads the keys any more, but the bytes are on the disk.
var ErrStillThere = errors.New("the keys are gone from the database and not yet from its log of writes, because another process reads the database: end it, and erase again")
