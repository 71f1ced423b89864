package validate

import (
	"context"
	"fmt"
)

// Target is an environment that can be played.
type Target interface {
	// Open opens an environment of the caller's own.
	Open(ctx context.Context) (Peer, error)
	// Actions gives an action that is valid, and some that are not.
	Actions(ctx context.Context) (valid []byte, wrong [][]byte, err error)
	// Extra are rules that only this kind of target has.
	Extra() []Rule
}

// Peer is an open environment. One command is under way at a time. An error that is a *Refused leaves it open.
type Peer interface {
	Reset(ctx context.Context, seed uint64, episode string) (Seen, error)
	Step(ctx context.Context, action []byte) (Seen, error)
	State(ctx context.Context) (State, error)
	// Close ends it in order; Drop goes away without a word.
	Close(ctx context.Context) error
	Drop()
}

// Seen is an observation as far as it must repeat.
type Seen struct {
	Text      string // the whole observation without the episode's id
	Error     bool   // the action was not carried out
	Done      bool
	Truncated bool
	Reward    *float64
}

func (s Seen) equal(o Seen) bool {
	same := s.Text == o.Text && s.Error == o.Error && s.Done == o.Done && s.Truncated == o.Truncated && (s.Reward == nil) == (o.Reward == nil)
	return same && (s.Reward == nil || *s.Reward == *o.Reward)
}

func (s Seen) String() string {
	reward := "none"
	if s.Reward != nil {
		reward = fmt.Sprint(*s.Reward)
	}
	return fmt.Sprintf("%.120q, reward %s, done %v", s.Text, reward, s.Done)
}

// State is where an environment stands.
type State struct {
	Episode string
	Steps   uint64
}

// Refused is an error that the environment answered with.
type Refused struct{ Code, Message string }

func (r *Refused) Error() string { return r.Code + ": " + r.Message }

// Rule is something that must hold.
type Rule struct {
	Name string
	Try  func(ctx context.Context, t Target) error // nil: it holds; *Unchecked: it could not be tried
}

// Unchecked says why a rule could not be tried.
type Unchecked struct{ Why string }

func (u *Unchecked) Error() string { return u.Why }
