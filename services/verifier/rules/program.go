package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
)

// Errors of a call. All others are the program's own fault.
var (
	ErrRefused = errors.New("refused")                         // the program called fail(): what it was given is not what it takes
	ErrLong    = errors.New("the program took too many steps") // or too much time
)

// programSteps bound one call of a Program.
const programSteps = 10 * maxSteps

// Program is a Starlark program whose functions are called by name. It holds nothing between calls: what it is to remember is
// given to it, and taken back. It is safe for concurrent use.
type Program struct {
	globals starlark.StringDict
	within  time.Duration
}

// NewProgram runs the top level; within bounds that and each call. The error is a *spec.ProgramError.
func NewProgram(path, source string, within time.Duration) (*Program, error) {
	globals, err := globalsOf(path, source, within)
	if err != nil {
		return nil, err
	}
	return &Program{globals, within}, nil
}

// Has says whether there is a function of a name.
func (p *Program) Has(name string) bool {
	_, ok := p.globals[name].(*starlark.Function)
	return ok
}

// Call calls a function with named arguments. A state that is not nil comes first, and is what the function left it as
// afterwards. All values are decoded JSON.
func (p *Program) Call(ctx context.Context, name string, state *any, args map[string]any) (any, error) {
	f, ok := p.globals[name].(*starlark.Function)
	if !ok {
		return nil, fmt.Errorf("there is no def %s", name)
	}
	var positional starlark.Tuple
	if state != nil {
		v, err := toStarlark(*state)
		if err != nil {
			return nil, fmt.Errorf("the state: %w", err)
		}
		positional = starlark.Tuple{v}
	}
	var named []starlark.Tuple
	for _, key := range slices.Sorted(maps.Keys(args)) {
		v, err := toStarlark(args[key])
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", key, err)
		}
		named = append(named, starlark.Tuple{starlark.String(key), v})
	}
	thread, stop := limited(name, p.within)
	defer stop()
	thread.SetMaxExecutionSteps(programSteps)
	defer context.AfterFunc(ctx, func() { thread.Cancel(overTime) })()
	out, err := starlark.Call(thread, f, positional, named)
	if err != nil {
		return nil, called(ctx, err)
	}
	value, err := plainOf(out)
	if err != nil {
		return nil, fmt.Errorf("%s returned %w", name, err)
	}
	if state != nil {
		if *state, err = plainOf(positional[0]); err != nil {
			return nil, fmt.Errorf("%s left a state with %w", name, err)
		}
	}
	return value, nil
}

// plainOf gives decoded JSON, with exact numbers.
func plainOf(v starlark.Value) (any, error) { return fromStarlark(v, 0) }

func called(ctx context.Context, err error) error {
	var e *starlark.EvalError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case tooSlow(err):
		return ErrLong
	case !errors.As(err, &e):
		return err
	case strings.HasPrefix(e.Msg, "fail: "):
		return fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(e.Msg, "fail: "))
	case e.Msg == "Starlark computation cancelled: too many steps":
		return ErrLong
	}
	return explain(err)
}

// Number is a number of decoded JSON.
func Number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
