// Package keys keeps signing keys on disk and says in which state they are.
//
// A key is a PKCS#8 PEM file with mode 0600, or the same under a passphrase in an age file. The registry knows the public
// halves; private bytes never leave this package.
package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/passport"
)

// Migration makes the table.
var Migration = store.Migration{Name: "keys", SQL: `CREATE TABLE keys (id TEXT PRIMARY KEY, public TEXT NOT NULL, state TEXT NOT NULL,
	encrypted INTEGER NOT NULL, created INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '')`}

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("no key of that id")
	ErrLocked  = errors.New("the key is under a passphrase that was not given; set keys.passphrase_file")
	ErrRevoked = errors.New("the key is revoked")
)

// Entry is a key's public half.
type Entry struct {
	ID        string
	PublicPEM string
	State     string // active, retired, revoked
	Encrypted bool
	Created   time.Time
	Revoked   time.Time
	Reason    string // of the revocation; "compromised" takes trust from all that the key ever signed
}

// Keys are those of one folder.
type Keys struct {
	dir        string
	db         *store.DB
	passphrase string
}

// Open uses a folder; an empty passphrase keeps new keys unencrypted.
func Open(dir string, db *store.DB, passphrase string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Keys{dir, db, passphrase}, nil
}

func (k *Keys) path(id string, encrypted bool) string {
	name := id + ".pem"
	if encrypted {
		name += ".age"
	}
	return filepath.Join(k.dir, name)
}

// Create makes a P-256 key and, if it is to be the default, retires the others.
func (k *Keys) Create(ctx context.Context, now time.Time, makeDefault bool) (Entry, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Entry{}, err
	}
	id, err := passport.KeyID(&private.PublicKey)
	if err != nil {
		return Entry{}, err
	}
	public, err := passport.PublicPEM(&private.PublicKey)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{ID: id, PublicPEM: string(public), State: "active", Encrypted: k.passphrase != "", Created: now}
	if err := k.write(e, private); err != nil {
		return Entry{}, fmt.Errorf("keep the key: %w", err)
	}
	return e, k.db.Within(ctx, func(tx store.Tx) error {
		if makeDefault {
			if _, err := tx.Exec(ctx, `UPDATE keys SET state = 'retired' WHERE state = 'active'`); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO keys (id, public, state, encrypted, created) VALUES (?, ?, ?, ?, ?)`,
			e.ID, e.PublicPEM, e.State, e.Encrypted, now.UnixMilli())
		return err
	})
}

// Signer opens a key to sign with; an empty id is the default one, made at the first start.
func (k *Keys) Signer(ctx context.Context, id string, now time.Time) (passport.Signer, Entry, error) {
	e, err := k.find(ctx, id)
	if errors.Is(err, ErrUnknown) && id == "" {
		e, err = k.Create(ctx, now, true)
	}
	if err != nil {
		return nil, Entry{}, err
	}
	if e.State == "revoked" {
		return nil, Entry{}, fmt.Errorf("key %s: %w", e.ID, ErrRevoked)
	}
	private, err := k.open(e)
	if err != nil {
		return nil, Entry{}, err
	}
	return passport.Key{PrivateKey: private}, e, nil
}

func (k *Keys) find(ctx context.Context, id string) (Entry, error) {
	where, args := `state = 'active' ORDER BY created DESC LIMIT 1`, []any{}
	if id != "" {
		where, args = `id = ?`, []any{id}
	}
	list, err := k.query(ctx, where, args...)
	if err != nil {
		return Entry{}, err
	}
	if len(list) == 0 {
		return Entry{}, ErrUnknown
	}
	return list[0], nil
}

// List gives every key, newest first.
func (k *Keys) List(ctx context.Context) ([]Entry, error) {
	return k.query(ctx, `1 = 1 ORDER BY created DESC`)
}

func (k *Keys) query(ctx context.Context, where string, args ...any) ([]Entry, error) {
	rows, err := k.db.Query(ctx, `SELECT id, public, state, encrypted, created, revoked, reason FROM keys WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var created, revoked int64
		if err := rows.Scan(&e.ID, &e.PublicPEM, &e.State, &e.Encrypted, &created, &revoked, &e.Reason); err != nil {
			return nil, err
		}
		e.Created = time.UnixMilli(created)
		if revoked > 0 {
			e.Revoked = time.UnixMilli(revoked)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// Revoke ends trust in a key from now on. A second time changes nothing: the first time and reason stand.
func (k *Keys) Revoke(ctx context.Context, id, reason string, now time.Time) (Entry, error) {
	_, err := k.db.Exec(ctx, `UPDATE keys SET state = 'revoked', revoked = ?, reason = ? WHERE id = ? AND state <> 'revoked'`, now.UnixMilli(), reason, id)
	if err != nil {
		return Entry{}, err
	}
	return k.find(ctx, id)
}
