package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// echo is a host with one session.
type echo struct{ closed bool }

func (*echo) Tools(context.Context) ([]Tool, error) {
	return []Tool{{"say", "says it", json.RawMessage(`{"type":"object"}`)}}, nil
}

func (*echo) Create(_ context.Context, params []byte) (session, text string, err error) {
	return "s1", string(params), nil
}

func (e *echo) Close(_ context.Context, session string) error {
	if session != "s1" {
		return &Error{Code: InvalidParams, Message: "no session " + session}
	}
	e.closed = true
	return nil
}

var errGone = errors.New("gone")

func (e *echo) Call(_ context.Context, session, name string, arguments []byte) (Result, error) {
	if e.closed {
		return Result{}, errGone
	}
	return Result{Text: session + " " + name + " " + string(arguments), Done: true}, nil
}

func TestMethods(t *testing.T) {
	h := &echo{}
	for _, c := range []struct{ name, raw, want string }{
		{"initialize", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}`, `"protocolVersion":"2025-03-26"`},
		{"another version", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999"}}`, `"protocolVersion":"2025-06-18"`},
		{"ping", `{"jsonrpc":"2.0","id":"a","method":"ping"}`, `"id":"a","result":{}`},
		{"list", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`, `"inputSchema":{"type":"object"}`},
		{"create", `{"jsonrpc":"2.0","id":1,"method":"openenv/session/create","params":{"seed":3}}`, `"session_id":"s1"`},
		{"call", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":{"n":1},"session_id":"s1"}}`, `"text":"s1 say {\"n\":1}"`},
		{"reserved", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"reset"}}`, `reserved`},
		{"arguments that are none", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":1}}`, `-32602`},
		{"no name", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `-32602`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `-32600`},
		{"unknown", `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, `-32601`},
		{"params that are none", `{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}`, `-32602`},
		{"no version", `{}`, `"id":null,"error":{"code":-32600`},
		{"no JSON", `{`, `-32700`},
		{"several", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, `-32600`},
		{"an id that is none", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `-32600`},
		{"a bomb", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":` + strings.Repeat("[", 100_000), `-32700`},
		{"another session", `{"jsonrpc":"2.0","id":1,"method":"openenv/session/close","params":{"session_id":"s2"}}`, `no session s2`},
		{"close", `{"jsonrpc":"2.0","id":1,"method":"openenv/session/close","params":{"session_id":"s1"}}`, `"closed":true`},
	} {
		got, err := Handle(t.Context(), []byte(c.raw), h)
		if err != nil || !json.Valid(got) || !strings.Contains(string(got), c.want) || !strings.HasPrefix(string(got), `{"jsonrpc":"2.0"`) || strings.Contains(string(got), "reward") {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
	if got, err := Handle(t.Context(), []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), h); got != nil || err != nil {
		t.Errorf("a notification: %s, %v", got, err)
	}
	if _, err := Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say"}}`), h); !errors.Is(err, errGone) {
		t.Errorf("what is no answer must not be made one: %v", err)
	}
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"say","arguments":{}}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":-1.5e3,"method":"initialize","params":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Handle(t.Context(), raw, &echo{})
		if err != nil || got != nil && !json.Valid(got) {
			t.Fatalf("%q: %q, %v", raw, got, err)
		}
	})
}
