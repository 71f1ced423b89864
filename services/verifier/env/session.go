package env

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Errors of commands that are not carried out. The session goes on.
var (
	ErrOver      = errors.New("the episode is over; reset begins another one")
	ErrNoEpisode = errors.New("there is no episode yet; reset begins one")
)

// Session is one episode after the other, for one caller. It is not safe for concurrent use: its caller is its actor.
type Session struct {
	clock clock.Clock
	judge Judge

	phase  Phase
	id     string
	env    *Environment
	world  World
	about  Task
	credit Credit
	begun  time.Time
	turn   int
	errors int
	used   bool // a tool was used without an error
	path   trajectory
	answer string
	final  *verdict.Verdict
}

// NewSession has no episode yet.
func NewSession(c clock.Clock, judge Judge) *Session {
	return &Session{clock: c, judge: judge, phase: Created}
}

// Episode chooses what Reset begins.
type Episode struct {
	ID      string
	Env     *Environment
	Setting Setting
	Credit  Credit
}

// Reset begins an episode, also over one that runs: that one has then never ended, and has no verdict. After an error
// the session is as it was.
func (s *Session) Reset(e Episode) (Observation, error) {
	if s.phase == Closed {
		return Observation{}, ErrOver
	}
	if e.Setting.Difficulty == 0 {
		e.Setting.Difficulty = 1
	}
	world, err := e.Env.Begin(e.Setting)
	if err != nil {
		return Observation{}, err
	}
	about := world.Task()
	if _, judges := world.(Judging); about.Spec == "" && !judges {
		return Observation{}, fmt.Errorf("environment %s: neither the task nor its world can judge", e.Env.Name)
	}
	*s = Session{clock: s.clock, judge: s.judge, phase: Running, id: e.ID, env: e.Env, world: world, about: about, credit: e.Credit,
		begun: s.clock.Now(), path: s.path}
	s.path.begin(e.Env, e.Setting, about)
	return Observation{Text: shown(about.Prompt, maxObservation), phase: Running}, nil
}

// Step carries out an action.
func (s *Session) Step(ctx context.Context, action []byte) (Observation, error) {
	switch s.phase {
	case Created:
		return Observation{}, ErrNoEpisode
	case Running:
	default:
		return Observation{}, ErrOver
	}
	if s.clock.Now().Sub(s.begun) > s.env.TimeLimit { // the action came too late to be a turn
		s.phase = Truncated
		v := verdict.Unscore(s.name(), verdict.Deadline, "the time of the episode is over")
		v.Note("time_dependent", verdict.Info, "episode")
		s.final = &v
		return Observation{Text: "The time of the episode is over.", Turn: s.turn, phase: s.phase}, nil
	}
	s.turn++
	o := Observation{Turn: s.turn, phase: Running}
	p := s.env.read(string(action))
	var broken error
	if p.wrong == "" && !p.final {
		o.Text, p.wrong, broken = s.carryOut(ctx, p)
	}
	if p.wrong != "" {
		s.errors++
		o.Error = shown(p.wrong, maxProblem)
		if o.Text != "" {
			o.Text += "\n"
		}
		o.Text += "error: " + o.Error
	}
	o.Text = shown(o.Text, maxObservation)
	s.conclude(ctx, p, broken)
	o.phase = s.phase
	if s.final != nil {
		if score, ok := s.final.Scored(); ok {
			o.Reward = &score.Reward
		}
	}
	s.path.add(action, &o, s.progress())
	return o, nil
}

// carryOut runs calls in their order, up to the first that fails.
func (s *Session) carryOut(ctx context.Context, p plan) (text, wrong string, broken error) {
	var out strings.Builder
	for i, c := range p.calls {
		got, err := s.call(ctx, c)
		if errors.Is(err, ErrBroken) {
			return out.String(), "", err
		}
		if err != nil {
			return out.String(), "tool_error: " + err.Error(), nil
		}
		s.used = true
		if i > 0 {
			out.WriteByte('\n')
		}
		if len(p.calls) > 1 {
			out.WriteString(c.Name + ": ")
		}
		out.WriteString(got)
	}
	return out.String(), "", nil
}

// progress is the world's, or nothing where the world broke: it may not be asked any more.
func (s *Session) progress() float64 {
	if s.world == nil {
		return 0
	}
	return s.world.Progress()
}

// State is where the episode stands.
type State struct {
	ID     string
	Phase  Phase
	Turn   int
	Errors int
}

// State tells it.
func (s *Session) State() State { return State{s.id, s.phase, s.turn, s.errors} }

// Digest is the hash of the last turn, onto which the next one is hashed.
func (s *Session) Digest() []byte { return append(make([]byte, 0, sha256.Size), s.path.head[:]...) }

// Outcome is what came of an episode.
type Outcome struct {
	ID      string
	Verdict *verdict.Verdict // nil where it never ended by itself
	Answer  string           // what was judged
	Task    Task
	Env     *Environment
	Credit  []float64
	Digest  []byte // the last hash of the trajectory; nil without an episode
}

// Close ends the session.
func (s *Session) Close() Outcome {
	out := Outcome{ID: s.id, Verdict: s.final, Answer: s.answer, Task: s.about, Env: s.env}
	if s.env != nil {
		out.Digest = s.Digest()
	}
	if s.final != nil {
		if score, ok := s.final.Scored(); ok {
			out.Credit = s.credit.Assign(score.Reward, s.path.progress)
		}
	}
	s.phase, s.world = Closed, nil
	return out
}
