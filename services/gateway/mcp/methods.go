package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provenir/provenir/internal/strictjson"
)

type content struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type object map[string]any

func do(ctx context.Context, q request, h Host) (any, error) {
	switch q.method {
	case "initialize":
		p, bad := params(q)
		if bad != nil {
			return nil, bad
		}
		var version string
		_ = json.Unmarshal(p["protocolVersion"], &version) // without one the newest is spoken
		return object{"protocolVersion": known(version), "capabilities": object{"tools": object{}}, "serverInfo": object{"name": "provenir", "version": "1"}}, nil
	case "ping":
		return object{}, nil
	case "tools/list":
		tools, err := h.Tools(ctx)
		return object{"tools": tools}, err
	case "tools/call":
		return call(ctx, q, h)
	case "openenv/session/create":
		session, text, err := h.Create(ctx, q.params)
		if err != nil {
			return nil, err
		}
		return object{"session_id": session, "_meta": object{"text": text}}, nil
	case "openenv/session/close":
		p, bad := params(q)
		if bad != nil {
			return nil, bad
		}
		session := text(p["session_id"])
		if session == "" {
			return nil, &Error{Code: InvalidParams, Message: "session_id is needed"}
		}
		if err := h.Close(ctx, session); err != nil {
			return nil, err
		}
		return object{"session_id": session, "closed": true}, nil
	}
	return nil, &Error{Code: MethodNotFound, Message: fmt.Sprintf("no method %.80q", q.method)}
}

func call(ctx context.Context, q request, h Host) (any, error) {
	p, bad := params(q)
	if bad != nil {
		return nil, bad
	}
	name := text(p["name"])
	switch {
	case name == "":
		return nil, &Error{Code: InvalidParams, Message: "name is needed"}
	case slices.Contains(Reserved(), name):
		return nil, &Error{Code: InvalidParams, Message: name + " is a reserved name, and no tool"}
	}
	arguments := []byte(p["arguments"])
	if arguments == nil {
		arguments = []byte("{}")
	}
	if arguments[0] != '{' {
		return nil, &Error{Code: InvalidParams, Message: "arguments is an object"}
	}
	got, err := h.Call(ctx, text(p["session_id"]), name, arguments)
	if err != nil {
		return nil, err
	}
	return object{"content": []content{{"text", got.Text}}, "isError": got.Wrong, "_meta": object{"done": got.Done, "truncated": got.Truncated}}, nil
}

func params(q request) (map[string]json.RawMessage, *Error) {
	found, err := strictjson.Object(q.params, limits)
	if err != nil {
		return nil, &Error{Code: InvalidParams, Message: err.Error()}
	}
	out := make(map[string]json.RawMessage, len(found))
	for _, m := range found {
		out[m.Key] = m.Value
	}
	return out, nil
}

// text is empty for what is no text.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
