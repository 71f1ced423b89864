// Package publish takes findings from the log, which is the truth, to where people and programs look: tables that answer
// lists, and the outbox from which they go to NATS. Row, message and cursor are one transaction, so that a crash neither
// loses nor doubles a finding.
package publish

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/deeds"
)

// Migrations are the tables, the outbox included.
func Migrations() []store.Migration {
	return []store.Migration{
		{Name: "anomalies", SQL: `CREATE TABLE anomalies (
			pos INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, run TEXT NOT NULL,
			incident TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL, body BLOB NOT NULL);
			CREATE INDEX anomalies_run ON anomalies (tenant, run, pos)`},
		{Name: "incidents", SQL: `CREATE TABLE incidents (
			incident TEXT PRIMARY KEY, tenant TEXT NOT NULL, run TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
			open INTEGER NOT NULL, ack BLOB)`},
		{Name: "projected", SQL: `CREATE TABLE projected (
			tenant TEXT NOT NULL, run TEXT NOT NULL, next INTEGER NOT NULL, complete INTEGER NOT NULL DEFAULT 0,
			PRIMARY KEY (tenant, run))`},
		outbox.Migration,
	}
}

// Found is a finding with its place in the log: an anomaly, or something that was done to the log.
type Found struct {
	Seq     uint64 // in findings
	Anomaly *recorderv1.Anomaly
	Deed    *governancev1.AuditEvent // where it is one
}

// Reopen notes that a run has findings to take over although it is sealed and was done with.
func Reopen(ctx context.Context, q store.Queryer, tenant, run string) error {
	if _, err := q.Exec(ctx, `UPDATE projected SET complete = 0 WHERE tenant = ? AND run = ?`, tenant, run); err != nil {
		return fmt.Errorf("note that run %s has more findings: %w", run, err)
	}
	return nil
}

// Next is the first record of a run's findings that was not taken yet, and whether the run is sealed and done with.
func Next(ctx context.Context, q store.Queryer, tenant, run string) (next uint64, complete bool, err error) {
	var n int64
	err = q.QueryRow(ctx, `SELECT next, complete FROM projected WHERE tenant = ? AND run = ?`, tenant, run).Scan(&n, &complete)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read the place of run %s: %w", run, err)
	}
	return uint64(n), complete, nil
}

// Part is what one run's findings log has to take.
type Part struct {
	Tenant, Run string
	Found       []Found
	Next        uint64 // the place after them
	Checkpoint  []byte // the signed one that covers them
	Complete    bool   // the run is sealed, and nothing more comes: a start does not open it
}

// Take stores findings of several runs and moves their places.
func Take(ctx context.Context, db *store.DB, m Messenger, parts ...Part) error {
	err := db.Within(ctx, func(tx store.Tx) error {
		for _, p := range parts {
			for _, f := range p.Found {
				if err := take(ctx, tx, m, p, f); err != nil {
					return fmt.Errorf("take findings of run %s: %w", p.Run, err)
				}
			}
			if _, err := tx.Exec(ctx, `INSERT INTO projected (tenant, run, next, complete) VALUES (?, ?, ?, ?)
				ON CONFLICT (tenant, run) DO UPDATE SET next = excluded.next, complete = complete OR excluded.complete`,
				p.Tenant, p.Run, int64(p.Next), p.Complete); err != nil {
				return fmt.Errorf("take findings of run %s: %w", p.Run, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take findings: %w", err)
	}
	return nil
}

func take(ctx context.Context, tx store.Tx, m Messenger, p Part, f Found) error {
	if f.Deed != nil {
		return deeds.Add(ctx, tx, p.Tenant, p.Run, f.Seq, f.Deed)
	}
	a := f.Anomaly
	a.FindingSeq = &f.Seq
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
	if err != nil {
		return err
	}
	res, err := tx.Exec(ctx, `INSERT INTO anomalies (uid, tenant, run, incident, kind, severity, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (uid) DO NOTHING`, a.GetUid(), p.Tenant, p.Run, a.GetIncident(), a.GetKind(), int32(a.GetSeverity()), body)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // it was taken before
	}
	open := a.GetEvent() != recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE
	if _, err := tx.Exec(ctx, `INSERT INTO incidents (incident, tenant, run, kind, severity, open) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (incident) DO UPDATE SET severity = MAX(severity, excluded.severity), open = excluded.open`,
		a.GetIncident(), p.Tenant, p.Run, a.GetKind(), int32(a.GetSeverity()), open); err != nil {
		return err
	}
	return outbox.Add(ctx, tx, m.Message(p.Tenant, a, body, p.Checkpoint))
}
