// Package keys keeps signing keys on disk and says in which state they are.
//
// A key is a PKCS#8 PEM file with mode 0600, or the same under a passphrase in an age file. The registry knows the public
// halves; private bytes never leave this package.
package keys

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

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

// write keeps the private half; the public one lies beside it for who verifies.
func (k *Keys) write(e Entry, private *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if e.Encrypted {
		if b, err = encrypt(b, k.passphrase); err != nil {
			return err
		}
	}
	if err := durable(k.path(e.ID, e.Encrypted), b, 0o600); err != nil {
		return err
	}
	return durable(filepath.Join(k.dir, e.ID+".pub.pem"), []byte(e.PublicPEM), 0o644)
}

func durable(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func encrypt(b []byte, passphrase string) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
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

func (k *Keys) open(e Entry) (*ecdsa.PrivateKey, error) {
	path := k.path(e.ID, e.Encrypted)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", e.ID, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key %s: %s has mode %o; others could read it: chmod 600 it", e.ID, path, mode)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if e.Encrypted {
		if b, err = decrypt(b, k.passphrase); err != nil {
			return nil, fmt.Errorf("key %s: %w", e.ID, err)
		}
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("key %s: %s holds no PEM", e.ID, path)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", e.ID, err)
	}
	private, ok := any.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s: is no ECDSA key", e.ID)
	}
	if id, err := passport.KeyID(&private.PublicKey); err != nil || id != e.ID {
		return nil, fmt.Errorf("key %s: the file holds another key", e.ID)
	}
	return private, nil
}

func decrypt(b []byte, passphrase string) ([]byte, error) {
	if passphrase == "" {
		return nil, ErrLocked
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(b), id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return io.ReadAll(r)
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
	rows, err := k.db.Query(ctx, `SELECT id, public, state, encrypted, created, revoked FROM keys WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var created, revoked int64
		if err := rows.Scan(&e.ID, &e.PublicPEM, &e.State, &e.Encrypted, &created, &revoked); err != nil {
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

// Revoke ends trust in a key from now on.
func (k *Keys) Revoke(ctx context.Context, id, reason string, now time.Time) (Entry, error) {
	res, err := k.db.Exec(ctx, `UPDATE keys SET state = 'revoked', revoked = ?, reason = ? WHERE id = ? AND state <> 'revoked'`, now.UnixMilli(), reason, id)
	if err != nil {
		return Entry{}, err
	}
	if _, err := res.RowsAffected(); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Entry{}, err
	}
	return k.find(ctx, id)
}
