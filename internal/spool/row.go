package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/strictjson"
)

// Format is the name of these rows.
const Format = "provenir.track/v1"

// The types of rows.
const (
	Open           = "open"
	Resume         = "resume"
	Config         = "config"
	Step           = "step"
	Rollout        = "rollout"
	Verdict        = "verdict"
	HeldoutVerdict = "heldout_verdict"
	Eval           = "eval"
	Close          = "close"
)

// MaxRow bounds a row, so that one fits into a message of 4 MiB. Only a rollout may be as large: its payload goes to the blob
// store above 256 KiB. Any other record stays below that.
const MaxRow = 3 << 20

// Row is one row as it was written.
type Row struct {
	Type string `json:"type"`
	Seq  uint64 `json:"seq"` // 0 in a row resume, which is no record
	At   string `json:"at"`  // when it was logged; kept beside the tree

	// Of open and resume: which run, who writes it, and how it is judged.
	Format string `json:"format"`
	Run    string `json:"run"`
	Epoch  uint64 `json:"epoch"` // the fencing token; a process that goes on has a higher one
	Name   string `json:"name"`  // a label for people
	Host   string `json:"host"`
	PID    int64  `json:"pid"`
	SDK    string `json:"sdk"`
	Settings

	Declared json.RawMessage `json:"config"` // of config: what the caller said of the run

	Step    uint64          `json:"step"`
	Engine  string          `json:"engine"` // whose metric names these are; empty is ours
	Numbers json.RawMessage `json:"metrics"`
	Metrics []Number        `json:"-"`

	// Of rollout and verdicts.
	ID     string  `json:"id"`
	Group  string  `json:"group"`
	Turns  []Turn  `json:"turns"`
	Erase  string  `json:"erasure_group"` // of a salted run: whose keys its payload is under
	Reward *Float  `json:"reward"`
	Passed *bool   `json:"passed"` // missing where the caller did not say
	Data   string  `json:"dataset"`
	Rows   *uint64 `json:"n"` // rows behind an evaluation

	Ending
}

// Settings are those of the recorder for a run.
type Settings struct {
	Method        string             `json:"method"`
	Model         string             `json:"model"`
	KL            *float64           `json:"kl_coefficient"`
	RewardRange   *float64           `json:"reward_range"`
	NumIterations *uint32            `json:"num_iterations"`
	Truncated     bool               `json:"truncated_sampling"`
	Limits        map[string]float64 `json:"limits"`
	Disabled      []string           `json:"disabled"`
	Privacy       string             `json:"privacy"` // plain or salted; empty is plain
}

// Turn is a part of a trajectory.
type Turn struct {
	Role string `json:"role"` // system, user, assistant, tool or environment
	Text string `json:"text"`
}

// Ending is what a tracker says at the end.
type Ending struct {
	Outcome string `json:"outcome"` // completed or partial
	Error   string `json:"error"`   // type of the exception
	Dropped uint64 `json:"dropped"` // rows that were logged and could not be kept
	Invalid uint64 `json:"invalid"` // values that were no numbers
}

// members are those that each type of row may have besides type, seq and at.
var members = map[string][]string{
	Open: {"format", "run", "epoch", "name", "host", "pid", "sdk", "method", "model", "kl_coefficient", "reward_range", "num_iterations",
		"truncated_sampling", "limits", "disabled", "privacy"},
	Resume:         {"format", "run", "epoch", "host", "pid", "sdk"},
	Config:         {"config"},
	Step:           {"step", "engine", "metrics"},
	Rollout:        {"id", "group", "step", "turns", "erasure_group"},
	Verdict:        {"id", "reward", "passed", "erasure_group"},
	HeldoutVerdict: {"id", "reward", "passed", "erasure_group"},
	Eval:           {"step", "metrics", "dataset", "n"},
	Close:          {"outcome", "error", "dropped", "invalid"},
}

// Parse reads a row and checks it.
func Parse(b []byte) (*Row, error) {
	limits := strictjson.Limits{Bytes: MaxRow}
	found, err := strictjson.Object(b, limits)
	if err != nil {
		return nil, err
	}
	var r Row
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	allowed, known := members[r.Type]
	if !known {
		return nil, fmt.Errorf("type %q is none of %s", r.Type, Format)
	}
	numbered := false
	for _, m := range found {
		numbered = numbered || m.Key == "seq"
		if m.Key == "type" || m.Key == "at" || m.Key == "seq" && r.Type != Resume {
			continue
		}
		if !slices.Contains(allowed, m.Key) {
			return nil, fmt.Errorf("a row %s has no %q", r.Type, m.Key)
		}
	}
	if !numbered && r.Type != Resume {
		return nil, errors.New("seq is missing")
	}
	return &r, r.check()
}

func (r *Row) check() (err error) {
	switch r.Type {
	case Open, Resume:
		return r.checkHead()
	case Config:
		if _, err := strictjson.Object(r.Declared, strictjson.Limits{Bytes: MaxRow}); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	case Step, Eval:
		if r.Metrics, err = numbers(r.Numbers); err != nil {
			return err
		}
	case Rollout:
		return r.checkRollout()
	case Verdict, HeldoutVerdict:
		if r.ID == "" || r.Reward == nil {
			return errors.New("a verdict needs id and reward")
		}
	case Close:
		if r.Outcome != "completed" && r.Outcome != "partial" {
			return fmt.Errorf("outcome %q: want completed or partial", r.Outcome)
		}
	}
	return nil
}

func (r *Row) checkHead() error {
	switch {
	case r.Format != Format:
		return fmt.Errorf("format %q: this build reads %s", r.Format, Format)
	case !idgen.Tracked(r.Run):
		return fmt.Errorf("run %q is no id of a tracked run", r.Run)
	case r.Epoch == 0:
		return errors.New("epoch is missing")
	case r.Type == Open && r.Seq != 0:
		return fmt.Errorf("open is row 0 of a run, not %d", r.Seq)
	case r.Privacy != "" && r.Privacy != "plain" && r.Privacy != "salted":
		return fmt.Errorf("privacy %q: want plain or salted", r.Privacy)
	}
	return nil
}

func (r *Row) checkRollout() error {
	if r.ID == "" || len(r.Turns) == 0 {
		return errors.New("a rollout needs id and turns")
	}
	for i, t := range r.Turns {
		if !slices.Contains(Roles, t.Role) {
			return fmt.Errorf("turns[%d].role %q: want one of %v", i, t.Role, Roles)
		}
	}
	return nil
}

// Roles are who may speak in a trajectory.
var Roles = []string{"system", "user", "assistant", "tool", "environment"}
