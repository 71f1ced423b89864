package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
)

// Migration makes the tables. audit_nodes are the stored hashes of tlog, by their index.
var Migration = store.Migration{Name: "audit", SQL: `
CREATE TABLE audit_leaves (n INTEGER PRIMARY KEY, tenant TEXT NOT NULL, request TEXT NOT NULL, digest BLOB NOT NULL, leaf BLOB NOT NULL,
	UNIQUE (tenant, request));
CREATE TABLE audit_details (n INTEGER PRIMARY KEY, salt BLOB NOT NULL, details BLOB NOT NULL);
CREATE TABLE audit_nodes (i INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE audit_checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL)`}

// Origin is the first line of the log's checkpoints.
const Origin = "provenir.dev/log/governance"

// Log is the log. It is safe for concurrent use.
type Log struct {
	DB     *store.DB
	Signer func() (note.Signer, error) // opened when first needed: the key may be under a passphrase
	Now    func() time.Time
}

// Entry is a leaf in its place.
type Entry struct {
	Index uint64
	Leaf  []byte
}

// ErrRequest tells that a request id stands for another event.
var ErrRequest = errors.New("audit: another event was logged under this request id")

// Append adds a leaf and answers when it is on disk under a signed checkpoint. The same request again gives the leaf that
// is there, and adds none.
func (l *Log) Append(ctx context.Context, request string, e Event) (index uint64, err error) {
	signer, err := l.Signer()
	if err != nil {
		return 0, err
	}
	err = l.DB.Within(ctx, func(tx store.Tx) error {
		var n int64
		var was []byte
		err := tx.QueryRow(ctx, `SELECT n, digest FROM audit_leaves WHERE tenant = ? AND request = ?`, e.Tenant, request).Scan(&n, &was)
		switch {
		case err == nil && string(was) != string(e.digest()):
			return ErrRequest
		case err == nil:
			index = uint64(n)
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("look for the request: %w", err)
		}
		index, err = l.add(ctx, tx, signer, request, e)
		return err
	})
	return index, err
}

func (l *Log) add(ctx context.Context, tx store.Tx, signer note.Signer, request string, e Event) (uint64, error) {
	size, err := sizeOf(ctx, tx)
	if err != nil {
		return 0, err
	}
	b, salt, err := encode(e, l.Now())
	if err != nil {
		return 0, err
	}
	hashes, err := tlog.StoredHashes(size, b, nodes(ctx, tx))
	if err != nil {
		return 0, fmt.Errorf("hash leaf %d: %w", size, err)
	}
	first := tlog.StoredHashIndex(0, size)
	for i, h := range hashes {
		if _, err := tx.Exec(ctx, `INSERT INTO audit_nodes (i, hash) VALUES (?, ?)`, first+int64(i), h[:]); err != nil {
			return 0, fmt.Errorf("store a node: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit_leaves (n, tenant, request, digest, leaf) VALUES (?, ?, ?, ?, ?)`, size, e.Tenant, request, e.digest(), b); err != nil {
		return 0, fmt.Errorf("store leaf %d: %w", size, err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit_details (n, salt, details) VALUES (?, ?, ?)`, size, salt, append([]byte{}, e.Details...)); err != nil {
		return 0, fmt.Errorf("store the details of leaf %d: %w", size, err)
	}
	root, err := tlog.TreeHash(size+1, nodes(ctx, tx))
	if err != nil {
		return 0, fmt.Errorf("root of %d leaves: %w", size+1, err)
	}
	signed, err := ledger.Checkpoint{Origin: Origin, Size: uint64(size) + 1, Root: root}.Sign(signer)
	if err != nil {
		return 0, fmt.Errorf("sign the checkpoint of %d leaves: %w", size+1, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_checkpoints (size, note) VALUES (?, ?)`, size+1, signed)
	return uint64(size), err
}

// sizeOf is one look at the end of the table, and no count of it: leaves have no gaps, and none is ever removed.
func sizeOf(ctx context.Context, q store.Queryer) (size int64, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(MAX(n) + 1, 0) FROM audit_leaves`).Scan(&size)
	return size, err
}

// nodes reads stored hashes.
func nodes(ctx context.Context, q store.Queryer) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			var b []byte
			if err := q.QueryRow(ctx, `SELECT hash FROM audit_nodes WHERE i = ?`, at).Scan(&b); err != nil {
				return nil, fmt.Errorf("node %d of the audit log: %w", at, err)
			}
			copy(out[i][:], b)
		}
		return out, nil
	})
}

// ErrUnknown tells that the log has no leaf of that index.
var ErrUnknown = errors.New("audit: the log has no entry of that index")

// Proof proves a leaf under the newest checkpoint, as c2sp.org/tlog-proof@v1.
func (l *Log) Proof(ctx context.Context, index uint64) (proof string, err error) {
	err = l.DB.Within(ctx, func(tx store.Tx) error { // one view of the tree
		size, err := sizeOf(ctx, tx)
		if err != nil {
			return err
		}
		if index >= uint64(size) {
			return ErrUnknown
		}
		hashes, err := tlog.ProveRecord(size, int64(index), nodes(ctx, tx))
		if err != nil {
			return fmt.Errorf("prove leaf %d: %w", index, err)
		}
		var signed []byte
		if err := tx.QueryRow(ctx, `SELECT note FROM audit_checkpoints WHERE size = ?`, size).Scan(&signed); err != nil {
			return fmt.Errorf("checkpoint of %d leaves: %w", size, err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "c2sp.org/tlog-proof@v1\nindex %d\n", index)
		for _, h := range hashes {
			fmt.Fprintf(&b, "%s\n", h)
		}
		b.WriteString("\n")
		b.Write(signed)
		proof = b.String()
		return nil
	})
	return proof, err
}

// List gives a tenant's leaves from an index on, in order.
func (l *Log) List(ctx context.Context, tenant string, from uint64, limit int) (out []Entry, err error) {
	rows, err := l.DB.Query(ctx, `SELECT n, leaf FROM audit_leaves WHERE tenant = ? AND n >= ? ORDER BY n LIMIT ?`, tenant, int64(from), limit)
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var n int64
		if err := rows.Scan(&n, &e.Leaf); err != nil {
			return nil, err
		}
		e.Index = uint64(n)
		out = append(out, e)
	}
	return out, rows.Err()
}
