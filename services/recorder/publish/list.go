package publish

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/store"
)

// Filter selects anomalies. Its zero value is all of a tenant's.
type Filter struct {
	Tenant   string
	Run      string // empty is all
	Severity corev1.Severity
	Kinds    []string
	OpenOnly bool
	After    uint64 // position; 0 is from the beginning
	Limit    int
}

// Row is an anomaly with its position in the table, which only grows.
type Row struct {
	Pos     uint64
	Anomaly *recorderv1.Anomaly
}

// List gives anomalies, oldest first.
func List(ctx context.Context, q store.Queryer, f Filter) ([]Row, error) {
	where, args := []string{"a.tenant = ?", "a.pos > ?", "a.severity >= ?"}, []any{f.Tenant, int64(f.After), int32(f.Severity)}
	if f.Run != "" {
		where, args = append(where, "a.run = ?"), append(args, f.Run)
	}
	if len(f.Kinds) > 0 {
		where = append(where, "a.kind IN (?"+strings.Repeat(", ?", len(f.Kinds)-1)+")")
		for _, k := range f.Kinds {
			args = append(args, k)
		}
	}
	join := ""
	if f.OpenOnly {
		join = " JOIN incidents i ON i.incident = a.incident"
		where = append(where, "i.open = 1")
	}
	rows, err := q.Query(ctx, "SELECT a.pos, a.body FROM anomalies a"+join+" WHERE "+strings.Join(where, " AND ")+" ORDER BY a.pos LIMIT ?",
		append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list anomalies: %w", err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		var pos int64
		var body []byte
		if err := rows.Scan(&pos, &body); err != nil {
			return nil, fmt.Errorf("list anomalies: %w", err)
		}
		a := &recorderv1.Anomaly{}
		if err := proto.Unmarshal(body, a); err != nil {
			return nil, fmt.Errorf("anomaly at position %d: %w", pos, err)
		}
		out = append(out, Row{Pos: uint64(pos), Anomaly: a})
	}
	return out, rows.Err()
}

// Last is the newest position.
func Last(ctx context.Context, q store.Queryer) (uint64, error) {
	var pos int64
	err := q.QueryRow(ctx, `SELECT COALESCE(MAX(pos), 0) FROM anomalies`).Scan(&pos)
	return uint64(pos), err
}

// ErrNoIncident tells that a tenant has no such incident.
var ErrNoIncident = errors.New("no incident of that id")

// RunOf finds the run of an incident.
func RunOf(ctx context.Context, q store.Queryer, tenant, incident string) (run string, err error) {
	err = q.QueryRow(ctx, `SELECT run FROM incidents WHERE tenant = ? AND incident = ?`, tenant, incident).Scan(&run)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNoIncident
	}
	return run, err
}

// Acknowledge notes an acknowledgement; the log findings has it already.
func Acknowledge(ctx context.Context, q store.Queryer, tenant, incident string, ack []byte) error {
	_, err := q.Exec(ctx, `UPDATE incidents SET ack = ? WHERE tenant = ? AND incident = ?`, ack, tenant, incident)
	return err
}

// TenantRow is an anomaly with whose it is.
type TenantRow struct {
	Row
	Tenant string
}

// Since gives the anomalies of all tenants after a position, oldest first. It is for what the mesh itself does with them;
// answers to callers go through List.
func Since(ctx context.Context, q store.Queryer, after uint64, limit int) ([]TenantRow, error) {
	rows, err := q.Query(ctx, `SELECT pos, tenant, body FROM anomalies WHERE pos > ? ORDER BY pos LIMIT ?`, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("read anomalies: %w", err)
	}
	defer rows.Close()
	var out []TenantRow
	for rows.Next() {
		var pos int64
		var body []byte
		r := TenantRow{Row: Row{Anomaly: &recorderv1.Anomaly{}}}
		if err := rows.Scan(&pos, &r.Tenant, &body); err != nil {
			return nil, fmt.Errorf("read anomalies: %w", err)
		}
		if err := proto.Unmarshal(body, r.Anomaly); err != nil {
			return nil, fmt.Errorf("anomaly at position %d: %w", pos, err)
		}
		r.Pos = uint64(pos)
		out = append(out, r)
	}
	return out, rows.Err()
}
