// Package journal remembers how far each run has come: one row a step and one a stage, written when everything before
// it is durable elsewhere. Recovery begins at its last row.
package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/gate"
)

// Migration makes the tables.
var Migration = store.Migration{Name: "journal", SQL: `
	CREATE TABLE journal_stages (run TEXT NOT NULL, stage INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, stage));
	CREATE TABLE journal_steps (run TEXT NOT NULL, n INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, branch INTEGER NOT NULL,
		stage INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (run, branch, step));
	CREATE INDEX journal_steps_run ON journal_steps (run, n);
	CREATE TABLE journal_close (run TEXT PRIMARY KEY, body TEXT NOT NULL);`}

// Stage is written when a stage's header records are durable.
type Stage struct {
	Stage     uint32 `json:"stage"`
	FirstStep uint64 `json:"first_step"` // of the run
	HeaderSeq uint64 `json:"header_seq"` // of its CONFIG record
	FirstSeq  uint64 `json:"first_seq"`  // of its first step
	Spec      []byte `json:"spec"`       // digest of the effective semantic spec
	Base      []byte `json:"base,omitempty"`
	Chain     []byte `json:"chain,omitempty"` // at the end of the stage before
	// Gate and Checkpoint are as the header left them, after the evaluation before the stage.
	Gate       gate.State `json:"gate"`
	Checkpoint []byte     `json:"checkpoint,omitempty"`
}

// Close is written when RUN_CLOSE is durable: what is left is sealing.
type Close struct {
	State      int32  `json:"state"` // orchestrator.v1.RunState that the run will have
	Checkpoint []byte `json:"checkpoint,omitempty"`
	Chain      []byte `json:"chain,omitempty"`
	Steps      uint64 `json:"steps"`
	Rollouts   uint64 `json:"rollouts"`
	Scored     uint64 `json:"scored"`
	Clocked    uint64 `json:"time_dependent"`
}

// Step is written when a step is decided and everything of it is durable.
type Step struct {
	Step       uint64     `json:"step"`
	Branch     uint32     `json:"branch"`
	Stage      uint32     `json:"stage"`
	FirstSeq   uint64     `json:"first_seq"`
	NextSeq    uint64     `json:"next_seq"`             // read by LastWithin
	Gate       gate.State `json:"gate"`                 // after the step
	ResumeStep uint64     `json:"next_step"`            // the step that comes next; lower than step+1 after a rollback
	NextBranch uint32     `json:"next_branch"`          // its branch
	Checkpoint []byte     `json:"checkpoint,omitempty"` // newest one at this point
	Chain      []byte     `json:"chain,omitempty"`
	Rollouts   uint64     `json:"rollouts"`       // of the run so far
	Scored     uint64     `json:"scored"`         // likewise
	Clocked    uint64     `json:"time_dependent"` // likewise
	End        int32      `json:"end,omitempty"`  // RunState, when the decision ended the run
}

// Journal is the rows of one database.
type Journal struct{ db *store.DB }

// New keeps rows in db.
func New(db *store.DB) *Journal { return &Journal{db} }

// PutStage writes a stage in the caller's transaction. The same stage again must be the same.
func (*Journal) PutStage(ctx context.Context, q store.Queryer, run string, s Stage) error {
	return put(ctx, q, s, `INSERT INTO journal_stages (run, stage, body) VALUES (?, ?, ?)
		ON CONFLICT (run, stage) DO UPDATE SET body = excluded.body`, run, s.Stage)
}

// PutStep writes a step in the caller's transaction; a step that was executed again replaces its row.
func (*Journal) PutStep(ctx context.Context, q store.Queryer, run string, s Step) error {
	return put(ctx, q, s, `INSERT INTO journal_steps (run, step, branch, stage, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (run, branch, step) DO UPDATE SET body = excluded.body`, run, s.Step, s.Branch, s.Stage)
}

func put(ctx context.Context, q store.Queryer, v any, query string, args ...any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := q.Exec(ctx, query, append(args, string(b))...); err != nil {
		return fmt.Errorf("journal of run %v: %w", args[0], err)
	}
	return nil
}

// PutClose writes the end.
func (*Journal) PutClose(ctx context.Context, q store.Queryer, run string, c Close) error {
	return put(ctx, q, c, `INSERT INTO journal_close (run, body) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET body = excluded.body`, run)
}

// Closed reads the end; false while the run goes on.
func (j *Journal) Closed(ctx context.Context, run string) (Close, bool, error) {
	var c Close
	ok, err := j.get(ctx, &c, `SELECT body FROM journal_close WHERE run = ?`, run)
	return c, ok, err
}

// Before reads the row that led to a step of a branch: the step before it, or the one whose decision opened the branch.
func (j *Journal) Before(ctx context.Context, run string, branch uint32, step uint64) (Step, bool, error) {
	if step > 0 {
		if s, ok, err := j.At(ctx, run, branch, step-1); ok || err != nil {
			return s, ok, err
		}
	}
	if branch == 0 {
		return Step{}, false, nil
	}
	var s Step
	ok, err := j.get(ctx, &s, `SELECT body FROM journal_steps WHERE run = ? AND branch = ? ORDER BY n DESC LIMIT 1`, run, branch-1)
	return s, ok && s.NextBranch == branch && s.ResumeStep == step, err
}

// Stage reads a stage; false when its header is not durable yet.
func (j *Journal) Stage(ctx context.Context, run string, stage uint32) (Stage, bool, error) {
	var s Stage
	ok, err := j.get(ctx, &s, `SELECT body FROM journal_stages WHERE run = ? AND stage = ?`, run, stage)
	return s, ok, err
}

// Last reads the newest step; false when none was made.
func (j *Journal) Last(ctx context.Context, run string) (Step, bool, error) {
	var s Step
	ok, err := j.get(ctx, &s, `SELECT body FROM journal_steps WHERE run = ? ORDER BY n DESC LIMIT 1`, run)
	return s, ok, err
}

// LastWithin reads the newest step whose records are all among the first n of events: a recorder that came back from an
// older copy of its disk has less than the journal knows.
func (j *Journal) LastWithin(ctx context.Context, run string, n uint64) (Step, bool, error) {
	var s Step
	ok, err := j.get(ctx, &s, `SELECT body FROM journal_steps WHERE run = ? AND json_extract(body, '$.next_seq') <= ? ORDER BY n DESC LIMIT 1`, run, n)
	return s, ok, err
}

// At reads one step of a branch.
func (j *Journal) At(ctx context.Context, run string, branch uint32, step uint64) (Step, bool, error) {
	var s Step
	ok, err := j.get(ctx, &s, `SELECT body FROM journal_steps WHERE run = ? AND branch = ? AND step = ?`, run, branch, step)
	return s, ok, err
}

func (j *Journal) get(ctx context.Context, into any, query string, args ...any) (bool, error) {
	var body string
	err := j.db.QueryRow(ctx, query, args...).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal of run %v: %w", args[0], err)
	}
	return true, json.Unmarshal([]byte(body), into)
}
