package scripted

import (
	"context"
	"errors"
	"strings"

	"github.com/provenir/provenir/services/verifier/rules"
)

// starlarkProgram runs in this process: it can reach nothing but what it is given.
type starlarkProgram struct{ p *rules.Program }

func newStarlark(m *manifest) (program, error) {
	p, err := rules.NewProgram(m.Program, m.source, m.limit)
	if err != nil {
		return nil, err
	}
	return starlarkProgram{p}, nil
}

func (s starlarkProgram) has(name string) bool { return s.p.Has(name) }

func (s starlarkProgram) call(ctx context.Context, name string, state *any, args map[string]any) (any, error) {
	out, err := s.p.Call(ctx, name, state, args)
	switch {
	case errors.Is(err, rules.ErrRefused):
		return nil, &refusal{strings.TrimPrefix(err.Error(), rules.ErrRefused.Error()+": ")}
	case errors.Is(err, rules.ErrLong):
		return nil, &refusal{"the tool took too long; nothing was changed"}
	}
	return out, err
}
