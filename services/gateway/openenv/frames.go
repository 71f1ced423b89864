package openenv

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/gateway/mcp"
)

// do reads a message and carries it out. No reply and no failure is the answer to close.
func (c *connection) do(ctx context.Context, raw []byte) (*envelope, *failure) {
	kind, data, bad := readFrame(raw, c.s.cfg.Production)
	if bad != nil {
		return nil, bad
	}
	switch kind {
	case "reset":
		r, bad := readReset(data, c.environment)
		if bad != nil {
			return nil, bad
		}
		o, err := c.episode.Reset(r)
		if err != nil {
			return nil, failureOf(err)
		}
		return &envelope{"observation", observedOf(o)}, nil
	case "step":
		action, bad := readAction(data)
		if bad != nil {
			return nil, bad
		}
		o, err := c.episode.Step(action)
		if err != nil {
			return nil, failureOf(err)
		}
		return &envelope{"observation", observedOf(o)}, nil
	case "state":
		st, err := c.episode.State()
		if err != nil {
			return nil, failureOf(err)
		}
		return &envelope{"state", stateOf(st)}, nil
	case "mcp":
		reply, err := mcp.Handle(ctx, data, &bound{c: c})
		if err != nil {
			return nil, failureOf(err)
		}
		if reply == nil { // a notification; over /ws every message has an answer
			reply = []byte("{}")
		}
		return &envelope{"mcp", json.RawMessage(reply)}, nil
	}
	if err := c.episode.Close(); err != nil {
		return nil, failureOf(err)
	}
	return nil, nil
}

// kinds are the messages that clients send; those of production are the last two.
var kinds = []string{"reset", "step", "state", "mcp", "close"}

// readFrame reads the outer message.
func readFrame(raw []byte, production bool) (kind string, data []byte, bad *failure) {
	m, bad := members(raw, "a message", "type", "data")
	if bad != nil {
		return "", nil, bad
	}
	if null(m["type"]) || m["type"][0] != '"' {
		return "", nil, &failure{code: unknownType, message: fmt.Sprintf("a message has a type, one of %v", kinds)}
	}
	if kind, bad = text(m, "type", 64); bad != nil {
		return "", nil, &failure{code: unknownType, message: bad.message}
	}
	served := kinds
	if production {
		served = kinds[3:]
	}
	if !slices.Contains(served, kind) {
		return "", nil, &failure{code: unknownType, message: fmt.Sprintf("no message type %q; there are %v", kind, served)}
	}
	switch data = m["data"]; {
	case (kind == "step" || kind == "mcp") && null(data):
		return "", nil, &failure{code: validationError, message: kind + " has data"}
	case (kind == "state" || kind == "close") && !null(data) && string(data) != "{}":
		return "", nil, &failure{code: validationError, message: kind + " has no data"}
	}
	return kind, data, nil
}
