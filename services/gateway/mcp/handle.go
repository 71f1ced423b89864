package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/provenir/provenir/internal/strictjson"
)

// Host is where tools are called.
type Host interface {
	// Tools are those of the environment.
	Tools(ctx context.Context) ([]Tool, error)
	// Create begins a session; params are of the request, "{}" where it has none.
	Create(ctx context.Context, params []byte) (session, text string, err error)
	// Close ends one.
	Close(ctx context.Context, session string) error
	// Call acts in one; empty is the only one that the host has, or an *Error.
	Call(ctx context.Context, session string, name string, arguments []byte) (Result, error)
}

// Tool is a tool as MCP lists it.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
}

// Result is what a call gave.
type Result struct {
	Text      string
	Wrong     bool // the call was not carried out
	Done      bool
	Truncated bool
}

// Error is a JSON-RPC error.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func (e *Error) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// The codes of JSON-RPC 2.0, section 5.1.
const (
	ParseError     = -32700
	InvalidRequest = -32600
	MethodNotFound = -32601
	InvalidParams  = -32602
	ServerError    = -32000
)

// Reserved are names that no tool has: they are commands of the environment, and whoever may call tools may not give
// those.
func Reserved() []string { return []string{"reset", "step", "state", "close"} }

// Versions of the protocol that are spoken, newest first.
func Versions() []string { return []string{"2025-06-18", "2025-03-26", "2024-11-05"} }

var limits = strictjson.Limits{Depth: 64}

type request struct {
	id     json.RawMessage // nil for a notification
	method string
	params []byte
}

type response struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Handle answers one request; nothing for a notification. The error is one of the host's that is no *Error: its session
// is gone.
func Handle(ctx context.Context, raw []byte, h Host) ([]byte, error) {
	q, bad := read(raw)
	if bad != nil {
		return write(response{ID: q.id, Error: bad})
	}
	if q.id == nil {
		return nil, nil
	}
	result, err := do(ctx, q, h)
	var told *Error
	switch {
	case errors.As(err, &told):
		return write(response{ID: q.id, Error: told})
	case err != nil:
		return nil, err
	}
	return write(response{ID: q.id, Result: result})
}

func write(r response) ([]byte, error) {
	r.JSONRPC = "2.0"
	if r.ID == nil {
		r.ID = json.RawMessage("null")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("write a JSON-RPC answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func read(raw []byte) (q request, bad *Error) {
	if err := strictjson.Check(raw, limits); err != nil {
		return q, &Error{Code: ParseError, Message: err.Error()}
	}
	found, err := strictjson.Object(raw, limits)
	if err != nil {
		return q, &Error{Code: InvalidRequest, Message: "a request is an object; several at once are not taken"}
	}
	version := ""
	for _, m := range found {
		switch m.Key {
		case "jsonrpc":
			_ = json.Unmarshal(m.Value, &version) // what is no text is not 2.0
		case "id":
			if c := m.Value[0]; c != '"' && c != '-' && (c < '0' || c > '9') {
				return q, &Error{Code: InvalidRequest, Message: "an id is text or a number"}
			}
			q.id = m.Value
		case "method":
			_ = json.Unmarshal(m.Value, &q.method) // what is no text is no method
		case "params":
			q.params = m.Value
		default:
			return q, &Error{Code: InvalidRequest, Message: fmt.Sprintf("a request has no key %.80q", m.Key)}
		}
	}
	switch {
	case version != "2.0":
		return q, &Error{Code: InvalidRequest, Message: `want "jsonrpc": "2.0"`}
	case q.method == "":
		return q, &Error{Code: InvalidRequest, Message: "a request has a method"}
	case q.params == nil || string(q.params) == "null":
		q.params = []byte("{}")
	case q.params[0] != '{':
		return q, &Error{Code: InvalidParams, Message: "params is an object"}
	}
	return q, nil
}

func known(version string) string {
	if v := Versions(); !slices.Contains(v, version) {
		return v[0]
	}
	return version
}
