package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// hear lets the judge run its tests and listens. It says whether the judge is as good as new afterwards.
func (s *Session) hear(j *judge, out *Judged, objects string) (keep bool) {
	done := make(chan struct{})
	guarded := make(chan struct{})
	go func() {
		defer close(guarded)
		s.guard(j, done)
	}()
	defer func() {
		close(done)
		<-guarded
	}()
	var err error
	if out.Refused, out.Detail, err = j.readTests(); err != nil {
		out.JudgeFailed = "it ended while it read the tests: " + err.Error()
		return false
	}
	if out.Refused != "" {
		return true
	}
	out.Collected = texts(j.ready[1])
	set(&objects, "reject")
	if err := j.proc.conn.send(plain.Tuple{plain.Str("run"), plain.Str(objects)}); err != nil {
		out.JudgeFailed = err.Error()
		return false
	}
	release, err := s.introduce(j)
	if err != nil {
		out.JudgeFailed = err.Error()
		return false
	}
	defer release()
	for {
		v, err := j.proc.conn.recv()
		if err != nil {
			out.JudgeFailed = "it ended while it judged: " + err.Error()
			return false
		}
		t, _ := v.(plain.Tuple)
		switch {
		case len(t) == 4 && t[0] == plain.Str("row"):
			out.Rows = append(out.Rows, Row{fmt.Sprint(t[1]), Outcome(fmt.Sprint(t[2])), fmt.Sprint(t[3])})
		case len(t) == 4 && t[0] == plain.Str("end"):
			out.Tamper, out.Flags = texts(t[1]), texts(t[2])
			if why := fmt.Sprint(t[3]); why != "" {
				out.Refused, out.Detail = "tests_unsupported", why
			}
			return out.untouched()
		default:
			out.JudgeFailed = "it speaks another language"
			return false
		}
	}
}

// untouched says whether the judge ended every test by a plain pass or a plain assertion.
func (o *Judged) untouched() bool {
	for _, r := range o.Rows {
		if r.Outcome != Passed && r.Outcome != Failed && r.Outcome != Skipped {
			return false
		}
	}
	return len(o.Tamper) == 0
}

// hand gives the candidate's socket to the judge. Ours stays open and unread until the end.
func (s *Session) hand(j *judge) error {
	raw, err := s.r.proc.conn.f.SyscallConn()
	if err != nil {
		return err
	}
	var passed error
	if err := raw.Control(func(fd uintptr) {
		if passed = unix.SetNonblock(int(fd), false); passed == nil { // the judge waits in its reads
			passed = j.proc.conn.pass(int(fd))
		}
	}); err != nil {
		return err
	}
	return passed
}

// guard ends a judge that does not come back after its candidate was killed.
func (s *Session) guard(j *judge, done chan struct{}) {
	select {
	case <-done:
		return
	case <-s.r.watched: // the wall limit, or the caller went away
	}
	t := s.r.slot.pool.deps.Clock.NewTimer(judgeGrace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C():
		j.proc.kill(Timeout)
	}
}

func texts(v plain.Value) []string {
	var out []string
	list, _ := v.(plain.List)
	for _, x := range list {
		out = append(out, fmt.Sprint(x))
	}
	return out
}
