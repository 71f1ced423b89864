package scripted

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// entry is what is called in the sandbox. JSON goes in and comes out: nothing else crosses that both sides would have to agree on.
const (
	entry   = "__provenir_call__"
	harness = `

def __provenir_call__(name, text):
    import json
    request = json.loads(text)
    first = [request["state"]] if "state" in request else []
    try:
        value = globals()[name](*first, **request["args"])
    except ValueError as e:
        return json.dumps({"refused": str(e)[:2000]})
    return json.dumps({"value": value, "state": first}, allow_nan=False)
`
)

// pythonProgram runs each call in a sandbox job of its own, so that a limit, a crash or an escape of one ends with it.
type pythonProgram struct {
	run    code.Runner
	source string
	limit  time.Duration
}

// has looks for a def at the beginning of a line: the program is not run to be loaded, since the sandbox starts when it is needed.
func (p *pythonProgram) has(name string) bool {
	found, err := regexp.MatchString(`(?m)^def `+regexp.QuoteMeta(name)+`\(`, p.source)
	return err == nil && found
}

func (p *pythonProgram) call(ctx context.Context, name string, state *any, args map[string]any) (any, error) {
	request := map[string]any{"args": args}
	if args == nil {
		request["args"] = map[string]any{}
	}
	if state != nil {
		request["state"] = *state
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	s, load, err := p.run.Open(ctx, sandbox.Job{Source: p.source + harness, Limits: sandbox.Limits{Wall: p.limit}})
	if err != nil {
		return nil, err
	}
	if load != (sandbox.Load{}) {
		return nil, unloaded(s, load)
	}
	a := s.Call(entry, plain.Tuple{plain.Str(name), plain.Str(text)}, nil)
	res, err := s.Close(a.Raised, a.Gone)
	if err != nil {
		return nil, err
	}
	reply, ok := a.Value.(plain.Str)
	switch {
	case res.Limit == sandbox.Timeout || res.Limit == sandbox.CPULimit:
		return nil, &refusal{"the tool took too long; nothing was changed"}
	case res.Limit != sandbox.NoLimit:
		return nil, &refusal{fmt.Sprintf("the tool met its %s; nothing was changed", res.Limit)}
	case a.Raised != nil:
		return nil, fmt.Errorf("raised %s: %s", a.Raised.Name, a.Raised.Text)
	case a.Gone:
		return nil, fmt.Errorf("ended its process (exit %d, signal %d)", res.ExitCode, res.Signal)
	case a.Malformed != "" || !ok:
		return nil, fmt.Errorf("gave no answer that can be read: %s", a.Malformed)
	}
	return answered([]byte(reply), state)
}

// unloaded says why a program could not be loaded.
func unloaded(s code.Session, l sandbox.Load) error {
	res, err := s.Close(l.Raised, l.Gone)
	switch {
	case err != nil:
		return err
	case l.CompileError != "":
		return fmt.Errorf("the program does not compile: %s", l.CompileError)
	case l.Raised != nil:
		return fmt.Errorf("the program cannot be loaded: %s: %s", l.Raised.Name, l.Raised.Text)
	}
	return fmt.Errorf("the program cannot be loaded (limit %q, exit %d) %s", res.Limit, res.ExitCode, l.Malformed)
}

func answered(reply []byte, state *any) (any, error) {
	var out struct {
		Refused *string `json:"refused"`
		Value   any     `json:"value"`
		State   []any   `json:"state"`
	}
	d := json.NewDecoder(bytes.NewReader(reply))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("gave no answer that can be read: %w", err)
	}
	if out.Refused != nil {
		return nil, &refusal{*out.Refused}
	}
	if state != nil {
		if len(out.State) != 1 {
			return nil, fmt.Errorf("gave no state back")
		}
		*state = out.State[0]
	}
	return out.Value, nil
}
