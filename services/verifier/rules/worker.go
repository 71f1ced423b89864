package rules

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"go.starlark.net/starlark"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// WorkerName names the worker of the sandbox that Work is.
const WorkerName = "starlark"

// Work serves on descriptor 3 until the other side is gone.
func Work() error { return Serve(os.NewFile(3, "questions"), WorkerMemory) }

// maxKnown is how many programs a worker remembers.
const maxKnown = 64

// Serve answers questions until the other side is gone: it is what a process does that runs programs of others. memory is what the
// process may use, in bytes; the collector works harder before that is reached.
func Serve(conn io.ReadWriter, memory int64) error {
	debug.SetMemoryLimit(memory / 4 * 3)
	known := map[string]*starlark.Function{}
	for {
		var q question
		if err := receive(conn, maxQuestion, &q); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		a := ask(&q, known)
		if err := send(conn, a); err != nil {
			return err
		}
	}
}

func ask(q *question, known map[string]*starlark.Function) *answer {
	verify := known[q.Source]
	if verify == nil {
		var err error
		if verify, err = load("program", q.Source, verifySignature, registration); err != nil {
			var wrong *spec.ProgramError
			if errors.As(err, &wrong) {
				err = wrong.Err // who asked says where
			}
			return &answer{Failed: err.Error()}
		}
		if len(known) >= maxKnown {
			clear(known)
		}
		known[q.Source] = verify
	}
	if q.Only {
		return &answer{}
	}
	c := &verdict.Candidate{}
	for i, key := range q.Keys {
		c.Row = append(c.Row, verdict.Field{Key: key, JSON: q.JSON[i]})
	}
	out, a := call(verify, c, q.Response, q.Within)
	if a != nil {
		return a
	}
	w, err := toWire(out, 0)
	if err == nil && size(&w) > maxAnswer/2 {
		err = fmt.Errorf("verify returned more than %d bytes", maxAnswer/2)
	}
	if err != nil {
		return &answer{Failed: err.Error()}
	}
	return &answer{Value: w}
}

// call runs verify within its limits. The answer is nil where it returned.
func call(verify starlark.Callable, c *verdict.Candidate, response string, within time.Duration) (starlark.Value, *answer) {
	row, err := rowOf(c, response)
	if err != nil {
		return nil, &answer{Row: err.Error()}
	}
	thread, stop := limited("verify", within)
	defer stop()
	out, err := starlark.Call(thread, verify, starlark.Tuple{row}, nil)
	switch {
	case err != nil && tooSlow(err):
		return nil, &answer{Late: true}
	case err != nil:
		return nil, &answer{Failed: explain(err).Error()}
	}
	return out, nil
}

func size(w *wire) int {
	n := len(w.Text)
	for i := range w.Items {
		n += 16 + size(&w.Items[i])
	}
	return n
}
