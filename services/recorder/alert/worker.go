package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"
)

const (
	perMinute = 20
	digestMax = 100 // alerts in one digest
	idle      = time.Minute
	trouble   = 5 * time.Second // wait after the database failed
)

// worker sends one sink's queue, in its order.
type worker struct {
	d       Deps
	sink    *Sink
	queue   *queue
	client  *http.Client
	breaker breaker
	crowded bool // the rate limit was reached: what waits goes as a digest
}

// begin notes where a new sink starts, and counts the dead letters of earlier processes: they are still there.
func (w *worker) begin(ctx context.Context) error {
	if err := w.queue.begin(ctx); err != nil {
		return err
	}
	n, err := w.queue.count(ctx, dead)
	if err != nil {
		return err
	}
	w.d.Counts.dead(w.sink.Name, n)
	return nil
}

// run sends until ctx ends.
func (w *worker) run(ctx context.Context) error {
	defer w.client.CloseIdleConnections()
	for {
		news := w.d.News() // before looking, so that none is missed
		wait, err := w.step(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			w.d.Log.ErrorContext(ctx, "alerts wait in their table", "sink", w.sink.Name, "error", err.Error())
			wait = trouble
		}
		if wait == 0 {
			continue
		}
		if err := w.pause(ctx, wait, news); err != nil {
			return err
		}
	}
}

func (w *worker) pause(ctx context.Context, wait time.Duration, news <-chan struct{}) error {
	t := w.d.Clock.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-news:
	case <-t.C():
	}
	return nil
}

// step makes at most one call and says how long there is nothing more to do; 0 is: go on.
func (w *worker) step(ctx context.Context) (time.Duration, error) {
	now := w.d.Clock.Now()
	if err := w.queue.feed(ctx, now); err != nil {
		return 0, err
	}
	rows, err := w.queue.waiting(ctx, "", digestMax)
	if err != nil {
		return 0, err
	}
	w.d.Counts.waiting(w.sink.Name, len(rows))
	if len(rows) == 0 {
		w.crowded = false
		return idle, w.queue.trim(ctx, now)
	}
	head := rows[0]
	if now.Sub(head.created) >= giveUp {
		return 0, w.bury(ctx, rows[:1], "not taken for 24 hours")
	}
	if w.breaker.open(now) {
		return w.breaker.until.Sub(now), nil
	}
	if head.due.After(now) {
		return head.due.Sub(now), nil
	}
	if wait, err := w.limited(ctx, now); wait > 0 || err != nil {
		return wait, err
	}
	rows, err = w.together(ctx, rows)
	if err != nil {
		return 0, err
	}
	return 0, w.try(ctx, rows)
}

// limited is how long the rate limit holds.
func (w *worker) limited(ctx context.Context, now time.Time) (time.Duration, error) {
	n, first, err := w.queue.recent(ctx, now.Add(-time.Minute))
	if err != nil || n < perMinute {
		return 0, err
	}
	w.crowded = true
	return max(first.Add(time.Minute).Sub(now), time.Millisecond), nil
}

// together are the rows of the next call. A digest is written down before it is sent: a repeat of it must have the same id
// and the same content. PagerDuty gets no digests; its events wait for their turn and join by their incident there.
func (w *worker) together(ctx context.Context, rows []row) ([]row, error) {
	head := rows[0]
	if head.batch != "" {
		return w.queue.waiting(ctx, head.batch, digestMax)
	}
	if !w.crowded || len(rows) == 1 || w.sink.Kind == "pagerduty" {
		return rows[:1], nil
	}
	batch := digestID(rows)
	for i := range rows {
		rows[i].batch = batch
	}
	return rows, w.queue.settle(ctx, rows, "batch = ?", batch)
}

func (w *worker) try(ctx context.Context, rows []row) error {
	m := message{id: rows[0].anomaly.GetUid()}
	for _, r := range rows {
		m.items = append(m.items, r.item)
	}
	if m.digest() {
		m.id = rows[0].batch
	}
	err := w.send(ctx, m)
	if ctx.Err() != nil { // the process ends: nobody knows whether it arrived, so it goes again with the same id
		return ctx.Err()
	}
	now := w.d.Clock.Now()
	var f *failure
	switch {
	case err == nil:
		w.breaker.worked()
		w.d.Counts.sent(w.sink.Name)
		return w.queue.settle(ctx, rows, "state = 1, done = ?, error = ''", now.UnixNano())
	case errors.As(err, &f) && f.final:
		return w.bury(ctx, rows, f.what)
	}
	w.breaker.failed(now, w.d.Random())
	tries := rows[0].tries + 1
	wait := backoff(tries, w.d.Random())
	if f != nil {
		wait = max(wait, f.after)
	}
	w.d.Counts.failed(w.sink.Name)
	if tries == 1 {
		w.d.Log.WarnContext(ctx, "an alert was not taken and is tried again", "sink", w.sink.Name, "id", m.id, "error", err.Error())
	}
	return w.queue.settle(ctx, rows, "tries = ?, due = ?, error = ?", tries, now.Add(wait).UnixNano(), err.Error())
}

func digestID(rows []row) string {
	h := sha256.New()
	for _, r := range rows {
		h.Write([]byte(r.anomaly.GetUid() + "\n"))
	}
	return "digest-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// bury makes dead letters: they stay in the table with the reason, are counted, and are said once.
func (w *worker) bury(ctx context.Context, rows []row, why string) error {
	if err := w.queue.settle(ctx, rows, "state = 2, done = ?, error = ?", w.d.Clock.Now().UnixNano(), why); err != nil {
		return err
	}
	for _, r := range rows {
		w.d.Log.ErrorContext(ctx, "an alert is a dead letter", "sink", w.sink.Name, "anomaly", r.anomaly.GetUid(), "run", r.anomaly.GetRun(),
			"kind", r.anomaly.GetKind(), "tries", r.tries, "error", why)
	}
	n, err := w.queue.count(ctx, dead)
	w.d.Counts.dead(w.sink.Name, n)
	return err
}
