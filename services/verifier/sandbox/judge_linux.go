package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// judgeGrace is how long a judge may take to tell what it knows after its candidate was killed.
const judgeGrace = 150 * time.Millisecond

// judgeRuns is after how many candidates a judge is replaced.
const judgeRuns = 256

// judgeLimits bound a judge: it runs tests that are trusted not to be hostile, on answers that are.
func judgeLimits() Limits {
	return Limits{CPU: 5 * time.Minute, Memory: 1 << 30, Processes: 8, Files: 32}.Fill()
}

// judge is a process that holds a suite and judges candidates one after the other. It never runs a candidate's code.
type judge struct {
	suite string // digest
	proc  *proc
	runs  int
	ready plain.Tuple
}

// digest names a suite.
func (s *Suite) digest() string {
	h := sha256.New()
	for _, part := range []string{s.Mode, s.Entry, s.Module, s.Objects} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	for _, t := range s.Tests {
		fmt.Fprintf(h, "%d:%s%d:%s", len(t.Name), t.Name, len(t.Source), t.Source)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Suite) sources() []string {
	out := make([]string, len(s.Tests))
	for i, t := range s.Tests {
		out[i] = t.Source
	}
	return out
}

// hire starts a judge with a suite and does not wait until it has read it.
func (s *slot) hire(suite *Suite, digest string) (*judge, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
	}
	defer null.Close()
	limits := judgeLimits()
	if s.judging != nil {
		if err := s.judging.prepare(limits.Memory, limits.Processes); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSandbox, err)
		}
	}
	l := launch{kind: "judge", limits: limits, extra: 48, filter: "python", stdin: null, stdout: null, stderr: null, group: s.judging}
	if s.zygote.layout.shared() {
		l.extra += processesOf(sandboxUID(s.index))
	}
	if !s.zygote.layout.filters {
		l.filter = ""
	}
	p, err := s.zygote.start(l, s.judging != nil)
	if err != nil {
		return nil, err
	}
	var tests plain.List
	for _, t := range suite.Tests {
		tests = append(tests, plain.Tuple{plain.Str(t.Name), plain.Str(t.Source)})
	}
	j := &judge{suite: digest, proc: p}
	module := suite.Module
	set(&module, "solution")
	if err := p.conn.send(plain.Tuple{plain.Str("suite"), plain.Str(suite.Mode), plain.Str(suite.Entry), plain.Str(module), tests}); err != nil {
		j.drop()
		return nil, fmt.Errorf("%w: give the judge its tests: %w", ErrSandbox, err)
	}
	return j, nil
}

// readTests waits until the judge has read its suite; what it refuses comes back.
func (j *judge) readTests() (refused, detail string, err error) {
	if j.ready == nil {
		v, err := j.proc.conn.recv()
		if err != nil {
			return "", "", err
		}
		t, ok := v.(plain.Tuple)
		if !ok || len(t) != 2 {
			return "", "", errors.New("the judge speaks another language")
		}
		j.ready = t
	}
	if j.ready[0] == plain.Str("ready") {
		return "", "", nil
	}
	return fmt.Sprint(j.ready[0]), fmt.Sprint(j.ready[1]), nil
}

// largeSuite is from where on the judge reads its tests before the candidate's clock starts; small ones it reads meanwhile.
const largeSuite = 64 << 10

// prepare waits for a large suite to be read. What it gives ends the matter: the tests are no good, or the judge is dead.
func (j *judge) prepare(suite *Suite) *Judged {
	size := 0
	for _, t := range suite.Tests {
		size += len(t.Source)
	}
	if size < largeSuite || j.ready != nil {
		return nil
	}
	if err := j.proc.conn.f.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil
	}
	refused, detail, err := j.readTests()
	_ = j.proc.conn.f.SetReadDeadline(time.Time{})
	if err != nil || refused == "" {
		return nil // a dead judge is found out again, beside the candidate
	}
	return &Judged{Refused: refused, Detail: detail}
}

// drop ends the judge and waits until it is dead.
func (j *judge) drop() {
	j.proc.kill(NoLimit)
	j.proc.wait()
}

// Judge loads a candidate and lets a judge process run tests on it.
func (p *Pool) Judge(ctx context.Context, job Job, suite *Suite) (Judged, error) {
	job.Limits = job.Limits.Fill()
	if err := job.Limits.Check(); err != nil {
		return Judged{}, fmt.Errorf("%w: %w", ErrLimits, err)
	}
	digest := suite.digest()
	s, m, err := p.ready(ctx, digest, &job, suite.sources()...)
	if err != nil {
		return Judged{}, err
	}
	if s.judge != nil && (s.judge.suite != digest || s.judge.runs >= judgeRuns) {
		s.judge.drop()
		s.judge = nil
	}
	if s.judge == nil {
		if s.judge, err = s.hire(suite, digest); err != nil {
			s.retire()
			p.give(s)
			return Judged{}, err
		}
	}
	s.judge.runs++
	if refused := s.judge.prepare(suite); refused != nil {
		p.give(s)
		return *refused, nil
	}
	session, load, err := s.open(ctx, m, job)
	if err != nil {
		return Judged{}, err
	}
	return session.judge(s.judge, load, suite.Objects)
}

func (s *Session) judge(j *judge, load Load, objects string) (Judged, error) {
	out := Judged{Load: load}
	keep := true
	if load == (Load{}) {
		keep = s.hear(j, &out, objects)
	} else if refused, detail, err := j.readTests(); err == nil { // bad tests are the task's fault, whatever the candidate did
		out.Refused, out.Detail = refused, detail
	}
	gone := load.Gone
	for _, r := range out.Rows {
		gone = gone || r.Outcome == CandidGone
	}
	if !keep { // before Close gives the slot to the next job
		j.drop()
		s.r.slot.judge = nil
	}
	var err error
	out.Result, err = s.Close(load.Raised, gone)
	return out, err
}
