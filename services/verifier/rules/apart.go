package rules

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// WorkerMemory is what a process that runs programs of others may use.
const WorkerMemory = 256 << 20

// grace is how long a worker may take beyond the program's own time before it is held dead.
const grace = 2 * time.Second

// Worker is a process that Serve runs in.
type Worker interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
	Kill() // and wait
}

// Apart runs programs in workers: steps and time of a program are bounded anywhere, its memory only in a process of its own. A
// worker answers one question at a time and goes on to the next; one that dies took its program along, and nobody else's.
type Apart struct {
	launch func(ctx context.Context) (Worker, error)
	slots  chan struct{}

	mu   sync.Mutex
	idle []Worker
	shut bool
}

// NewApart starts nothing; at most most workers run at once.
func NewApart(most int, launch func(ctx context.Context) (Worker, error)) *Apart {
	return &Apart{launch: launch, slots: make(chan struct{}, most)}
}

// errMemory is a worker that died over a program.
var errMemory = fmt.Errorf("the program ended its process; it may use %d MiB", WorkerMemory>>20)

// errLate is a worker that did not answer.
var errLate = errors.New("the program took too long and was ended with its process")

// errNotStarted is wrapped by why there is no worker.
var errNotStarted = errors.New("programs of others run in a process of their own")

func (a *Apart) ask(ctx context.Context, q *question) (*answer, error) {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-a.slots }()
	w, err := a.take(ctx)
	if err != nil {
		return nil, err
	}
	out, err := converse(w, q)
	if err != nil { // whatever state it is in, the next program gets a new one
		w.Kill()
		return nil, err
	}
	a.give(w)
	return out, nil
}

func converse(w Worker, q *question) (*answer, error) {
	if err := w.SetDeadline(time.Now().Add(q.Within + grace)); err != nil { //nolint:forbidigo // of a descriptor: the machine's clock
		return nil, errMemory // it is dead already
	}
	err := send(w, q)
	out := &answer{}
	if err == nil {
		err = receive(w, maxAnswer, out)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded): // one step of a program may take long, as a sort does: it ends with its process
		return nil, errLate
	case err != nil:
		return nil, errMemory
	}
	return out, nil
}

func (a *Apart) take(ctx context.Context) (Worker, error) {
	a.mu.Lock()
	if n := len(a.idle); n > 0 {
		w := a.idle[n-1]
		a.idle = a.idle[:n-1]
		a.mu.Unlock()
		return w, nil
	}
	shut := a.shut
	a.mu.Unlock()
	if shut {
		return nil, fmt.Errorf("%w: this service is stopping", errNotStarted)
	}
	w, err := a.launch(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotStarted, err)
	}
	return w, nil
}

func (a *Apart) give(w Worker) {
	a.mu.Lock()
	shut := a.shut
	if !shut {
		a.idle = append(a.idle, w)
	}
	a.mu.Unlock()
	if shut {
		w.Kill()
	}
}

// Close ends the workers that nobody asks; one that is being asked ends after its answer.
func (a *Apart) Close() {
	a.mu.Lock()
	idle := a.idle
	a.idle, a.shut = nil, true
	a.mu.Unlock()
	for _, w := range idle {
		w.Kill()
	}
}

// away judges in a worker.
func (j *judge) away(ctx context.Context, c *verdict.Candidate, response string) verdict.Verdict {
	q := &question{Source: j.source, Response: response, Within: j.within}
	for _, f := range c.Row {
		q.Keys, q.JSON = append(q.Keys, f.Key), append(q.JSON, f.JSON)
	}
	a, err := j.apart.ask(ctx, q)
	switch {
	case errors.Is(err, errMemory):
		return verdict.Unscore(Name, verdict.BadSpec, err.Error())
	case errors.Is(err, errLate):
		v := verdict.Unscore(Name, verdict.Deadline, err.Error())
		v.Note("time_dependent", verdict.Info, "the time limit of the program passed")
		return v
	case ctx.Err() != nil:
		return verdict.Unscore(Name, verdict.Deadline, "the deadline passed before the program was asked")
	case err != nil:
		return verdict.Unscore(Name, verdict.IsolationUnavailable, verdict.Printable(err.Error()))
	}
	if v, failed := j.without(a); failed {
		return v
	}
	out, err := a.Value.value()
	if err != nil {
		return verdict.Unscore(Name, verdict.JudgeError, verdict.Printable(err.Error()))
	}
	return j.read(out)
}
