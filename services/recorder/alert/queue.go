package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/publish"
)

// Migrations are the queue's tables. Times are Unix nanoseconds; state is waiting, sent or dead.
func Migrations() []store.Migration {
	return []store.Migration{{Name: "alerts", SQL: `CREATE TABLE alerts (
			id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, uid TEXT NOT NULL, tenant TEXT NOT NULL, body BLOB NOT NULL,
			created INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL DEFAULT 0,
			done INTEGER NOT NULL DEFAULT 0, batch TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', UNIQUE (sink, uid));
			CREATE INDEX alerts_waiting ON alerts (sink, state, id);
			CREATE TABLE alert_cursors (sink TEXT PRIMARY KEY, pos INTEGER NOT NULL);
			CREATE TABLE alert_incidents (sink TEXT NOT NULL, incident TEXT NOT NULL, severity INTEGER NOT NULL, open INTEGER NOT NULL,
			PRIMARY KEY (sink, incident))`}}
}

const (
	waiting = 0
	sent    = 1
	dead    = 2
)

// queue is one sink's.
type queue struct {
	db   *store.DB
	sink *Sink
}

type row struct {
	id      int64
	created time.Time
	due     time.Time
	tries   int
	batch   string
	item
}

const feedAtOnce = 256 // bounds a transaction

// begin sets a new sink to the present: it is not told of what was found before it was there.
func (q *queue) begin(ctx context.Context) error {
	last, err := publish.Last(ctx, q.db)
	if err != nil {
		return err
	}
	_, err = q.db.Exec(ctx, `INSERT INTO alert_cursors (sink, pos) VALUES (?, ?) ON CONFLICT (sink) DO NOTHING`, q.sink.Name, int64(last))
	return err
}

// feed takes new anomalies into the queue, with the cursor in one transaction: none is lost or doubled by a crash.
func (q *queue) feed(ctx context.Context, now time.Time) error {
	for {
		n := 0
		err := q.db.Within(ctx, func(tx store.Tx) error {
			var pos int64
			if err := tx.QueryRow(ctx, `SELECT pos FROM alert_cursors WHERE sink = ?`, q.sink.Name).Scan(&pos); err != nil {
				return err
			}
			found, err := publish.Since(ctx, tx, uint64(pos), feedAtOnce)
			if err != nil || len(found) == 0 {
				return err
			}
			for _, f := range found {
				if err := q.add(ctx, tx, f, now); err != nil {
					return err
				}
			}
			n = len(found)
			_, err = tx.Exec(ctx, `UPDATE alert_cursors SET pos = ? WHERE sink = ?`, int64(found[n-1].Pos), q.sink.Name)
			return err
		})
		if err != nil || n < feedAtOnce {
			return err
		}
	}
}

func (q *queue) add(ctx context.Context, tx store.Tx, f publish.TenantRow, now time.Time) error {
	var known told
	var severity int32
	err := tx.QueryRow(ctx, `SELECT severity, open FROM alert_incidents WHERE sink = ? AND incident = ?`, q.sink.Name, f.Anomaly.GetIncident()).
		Scan(&severity, &known.open)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	known.severity = corev1.Severity(severity)
	news, after := q.sink.decide(known, f.Anomaly)
	if !news {
		return nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO alert_incidents (sink, incident, severity, open) VALUES (?, ?, ?, ?)
		ON CONFLICT (sink, incident) DO UPDATE SET severity = excluded.severity, open = excluded.open`,
		q.sink.Name, f.Anomaly.GetIncident(), int32(after.severity), after.open); err != nil {
		return err
	}
	body, err := proto.Marshal(f.Anomaly)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO alerts (sink, uid, tenant, body, created, due) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sink, uid) DO NOTHING`,
		q.sink.Name, f.Anomaly.GetUid(), f.Tenant, body, now.UnixNano(), now.UnixNano())
	return err
}

// waiting reads the oldest rows that are to be sent; of one batch where it is named.
func (q *queue) waiting(ctx context.Context, batch string, most int) ([]row, error) {
	rows, err := q.db.Query(ctx, `SELECT id, tenant, body, created, due, tries, batch FROM alerts
		WHERE sink = ? AND state = 0 AND (? = '' OR batch = ?) ORDER BY id LIMIT ?`, q.sink.Name, batch, batch, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		var body []byte
		var created, due int64
		if err := rows.Scan(&r.id, &r.tenant, &body, &created, &due, &r.tries, &r.batch); err != nil {
			return nil, err
		}
		r.created, r.due, r.anomaly = time.Unix(0, created), time.Unix(0, due), &recorderv1.Anomaly{}
		if err := proto.Unmarshal(body, r.anomaly); err != nil {
			return nil, fmt.Errorf("alert %d: %w", r.id, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// recent counts the calls that a sink took since a time, a digest as one, and says when the first of them was.
func (q *queue) recent(ctx context.Context, since time.Time) (n int, first time.Time, err error) {
	var at int64
	err = q.db.QueryRow(ctx, `SELECT COUNT(DISTINCT CASE batch WHEN '' THEN uid ELSE batch END), COALESCE(MIN(done), 0) FROM alerts
		WHERE sink = ? AND state = 1 AND done > ?`, q.sink.Name, since.UnixNano()).Scan(&n, &at)
	return n, time.Unix(0, at), err
}

// settle writes what became of rows, all in one transaction.
func (q *queue) settle(ctx context.Context, rows []row, set string, args ...any) error {
	return q.db.Within(ctx, func(tx store.Tx) error {
		for _, r := range rows {
			if _, err := tx.Exec(ctx, `UPDATE alerts SET `+set+` WHERE id = ?`, append(append([]any{}, args...), r.id)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// trim drops what was sent more than a day ago. Dead letters stay.
func (q *queue) trim(ctx context.Context, now time.Time) error {
	_, err := q.db.Exec(ctx, `DELETE FROM alerts WHERE sink = ? AND state = 1 AND done < ?`, q.sink.Name, now.Add(-giveUp).UnixNano())
	return err
}

func (q *queue) count(ctx context.Context, state int) (n int, err error) {
	err = q.db.QueryRow(ctx, `SELECT COUNT(*) FROM alerts WHERE sink = ? AND state = ?`, q.sink.Name, state).Scan(&n)
	return n, err
}
