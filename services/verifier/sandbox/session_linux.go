package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Session is a candidate's module, loaded and waiting to be called. Exactly one of Close must follow.
type Session struct {
	r *running
}

// Open loads a module of Python. Where Load says that it failed, the session is still to be closed: Close knows the limit.
func (p *Pool) Open(ctx context.Context, j Job) (*Session, Load, error) {
	j.Limits = j.Limits.Fill()
	if err := j.Limits.Check(); err != nil {
		return nil, Load{}, fmt.Errorf("%w: %w", ErrLimits, err)
	}
	s, m, err := p.ready(ctx, "", &j)
	if err != nil {
		return nil, Load{}, err
	}
	return s.open(ctx, m, j)
}

func (s *slot) open(ctx context.Context, m *machine, j Job) (*Session, Load, error) {
	r, err := s.begin(ctx, m, launch{kind: "func", limits: j.Limits, filter: "python", extra: 2}, j.Limits.Keep, false)
	if err != nil {
		return nil, Load{}, err
	}
	session := &Session{r}
	if len(j.Source) > j.Limits.Source {
		return session, Load{CompileError: "too_large"}, nil
	}
	if err := r.proc.conn.send(plain.Tuple{plain.Str("load"), plain.Bytes(j.Source), plain.Str("solution"), plain.Str("/box/solution.py")}); err != nil {
		return session, Load{Gone: true}, nil
	}
	return session, loaded(r.proc.conn.recv()), nil
}

func loaded(v plain.Value, err error) Load {
	if l := (Load{}); err != nil {
		l.Gone, l.Malformed = failed(err)
		return l
	}
	t, _ := v.(plain.Tuple)
	switch {
	case len(t) == 1 && t[0] == plain.Str("ok"):
		return Load{}
	case len(t) == 3 && t[0] == plain.Str("compile"):
		return Load{CompileError: fmt.Sprintf("%v: %v", t[1], t[2])}
	}
	if r := raised(t); r != nil {
		return Load{Raised: r}
	}
	return Load{Malformed: "an answer of no known shape"}
}

// failed sorts a read that failed into a job that is gone and one that broke the protocol.
func failed(err error) (bool, string) {
	if errors.Is(err, plain.ErrMalformed) {
		return false, err.Error()
	}
	return true, ""
}

// Call calls what the module has under a name. Only values that Go knows come back.
func (s *Session) Call(name string, args plain.Tuple, kwargs plain.Dict) Answer {
	if kwargs == nil {
		kwargs = plain.Dict{}
	}
	c := s.r.proc.conn
	if err := c.send(plain.Tuple{plain.Str("call"), plain.Str(name), args, kwargs, false}); err != nil {
		return Answer{Gone: true}
	}
	v, err := c.recv()
	if err != nil {
		var a Answer
		a.Gone, a.Malformed = failed(err)
		return a
	}
	t, _ := v.(plain.Tuple)
	switch {
	case len(t) == 3 && t[0] == plain.Str("ret"):
		return Answer{Value: t[1]}
	case len(t) == 2 && t[0] == plain.Str("missing"):
		return Answer{Missing: true}
	case len(t) == 2 && t[0] == plain.Str("bad"):
		return Answer{Malformed: fmt.Sprint(t[1])}
	}
	if r := raised(t); r != nil {
		return Answer{Raised: r}
	}
	return Answer{Malformed: "an answer of no known shape"}
}

// raised reads an exception: ("exc", name, base, class, args, errno).
func raised(t plain.Tuple) *Raised {
	if len(t) != 6 || t[0] != plain.Str("exc") {
		return nil
	}
	name, ok1 := t[1].(plain.Str)
	base, ok2 := t[2].(plain.Str)
	args, ok3 := t[4].(plain.Tuple)
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	r := &Raised{Name: string(name), Base: string(base)}
	if len(args) > 0 {
		r.Text = fmt.Sprint(args[0])
	}
	if e, ok := t[5].(int64); ok {
		r.Errno = int(e)
	}
	return r
}

// Close ends the candidate and says what it took and which limit it met. Raised, if not nil, is the exception that failed it:
// it helps to name a limit.
func (s *Session) Close(why *Raised, gone bool) (Result, error) {
	r := s.r
	if gone { // it ends by itself: how, is what the wait status says
		r.proc.await()
	} else {
		r.left = r.proc.leftover(r.slot.candidate)
	}
	res, o, err := r.end()
	if err == nil && why != nil && res.Limit == NoLimit {
		res.Exception = why.Name
		res.Limit = o.suspected(why.Name, why.Errno)
	}
	if err == nil && gone && res.Limit == NoLimit {
		res.Limit = o.suspected("", 0)
	}
	res.Language = Python
	return res, err
}
