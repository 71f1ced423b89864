package mlflow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/provenir/provenir/cli/run/exported"
)

// maxBatch leaves room for the mark: MLflow takes 1,000 metrics, params and tags together in a log-batch call.
const maxBatch = 999

// Done is what a call brought.
type Done struct {
	Run     string `json:"mlflowRun"`
	Sent    uint64 `json:"sent"`
	Skipped uint64 `json:"skipped"`
	Undated uint64 `json:"undated"` // sent without a time
}

type line = exported.Line

type logged struct {
	Key       string `json:"key"`
	Value     any    `json:"value"` // a number, or the word for one that is not finite: protobuf's JSON takes both
	Timestamp int64  `json:"timestamp"`
	Step      int64  `json:"step"`
}

// Send brings a run, given as the recorder's JSON lines, to the server.
func (c *Client) Send(ctx context.Context, uid string, jsonl io.Reader) (*Done, error) {
	experiment, err := c.experiment(ctx)
	if err != nil {
		return nil, err
	}
	s := &sending{c: c, experiment: experiment, uid: uid, names: map[string]string{}}
	if err := exported.Each(jsonl, func(l line) error { return s.take(ctx, l) }); err != nil {
		return nil, err
	}
	return s.finish(ctx)
}

type sending struct {
	c               *Client
	experiment, uid string
	head            *line // of the run
	run             *remoteRun
	at, next        uint64 // values read, and values that the server has
	names           map[string]string
	batch           []logged
	done            Done
}

func (s *sending) take(ctx context.Context, l line) error {
	switch l.Type {
	case "run":
		s.head = &l
		return nil
	case "metric":
	default:
		return nil // MLflow has no place for incidents
	}
	m, err := s.metric(l)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, m.Timestamp); err != nil {
		return err
	}
	s.at++
	if s.at <= s.next {
		s.done.Skipped++
		return nil
	}
	if l.Recorded == "" {
		s.done.Undated++
	}
	if s.batch = append(s.batch, m); len(s.batch) == maxBatch {
		return s.flush(ctx)
	}
	return nil
}

func (s *sending) begin(ctx context.Context, start int64) error {
	if s.run != nil {
		return nil
	}
	r, err := s.c.run(ctx, s.experiment, s.uid, start)
	if err != nil {
		return err
	}
	if s.next, err = r.next(); err != nil {
		return err
	}
	s.run, s.done.Run = &r, r.Info.ID
	return nil
}

// metric gives each series a key of its own. MLflow allows letters, digits and _-. /: in keys; two of our names that
// become one key would be mixed up there, so that is an error and not a guess.
func (s *sending) metric(l line) (logged, error) {
	parts := []string{l.Metric}
	if l.Scope != "" && l.Scope != "train" {
		parts = []string{l.Scope, l.Metric}
	}
	for _, t := range []string{l.Estimator, l.Reduction} {
		if t != "" {
			parts = append(parts, t)
		}
	}
	if l.Attempt > 0 {
		parts = append([]string{"attempt_" + strconv.FormatUint(uint64(l.Attempt), 10)}, parts...)
	}
	name := strings.Join(parts, "/")
	key := strings.Map(allowed, name)
	if other, ok := s.names[key]; ok && other != name {
		return logged{}, fmt.Errorf("%q and %q would be one key in MLflow", other, name)
	}
	s.names[key] = name
	m := logged{Key: key, Step: l.Step, Value: l.NonFinite}
	if l.Value != nil {
		m.Value = *l.Value
	}
	if l.Recorded != "" {
		at, err := time.Parse(time.RFC3339Nano, l.Recorded)
		if err != nil {
			return logged{}, fmt.Errorf("recorded_at of step %d: %w", l.Step, err)
		}
		m.Timestamp = at.UnixMilli()
	}
	return m, nil
}

func allowed(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-. /:", r) {
		return r
	}
	return '_'
}

// flush sends the batch with the mark that lets a repeat begin behind it.
func (s *sending) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	body := map[string]any{"run_id": s.run.Info.ID, "metrics": s.batch, "tags": []keyed{{tagNext, strconv.FormatUint(s.at, 10)}}}
	if err := s.c.call(ctx, http.MethodPost, "runs/log-batch", body, nil); err != nil {
		return err
	}
	s.done.Sent += uint64(len(s.batch))
	s.next, s.batch = s.at, s.batch[:0]
	return nil
}

func (s *sending) finish(ctx context.Context) (*Done, error) {
	if err := s.begin(ctx, 0); err != nil {
		return nil, err
	}
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	tags := map[string]any{"run_id": s.run.Info.ID, "tags": []keyed{{"provenir.verdict", s.head.Verdict}}}
	if err := s.c.call(ctx, http.MethodPost, "runs/log-batch", tags, nil); err != nil {
		return nil, err
	}
	status := "RUNNING"
	if s.head.Complete {
		status = "FINISHED"
	}
	if err := s.c.call(ctx, http.MethodPost, "runs/update", map[string]string{"run_id": s.run.Info.ID, "status": status}, nil); err != nil {
		return nil, err
	}
	return &s.done, nil
}
