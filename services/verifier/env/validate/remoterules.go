package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
)

// Extra are the rules of servers: their HTTP endpoints, as OpenEnv's own validator tries them, and raw messages.
func (r *Remote) Extra() []Rule {
	on := func(try func(context.Context) error) func(context.Context, Target) error {
		return func(ctx context.Context, _ Target) error { return try(ctx) }
	}
	return []Rule{
		{"openapi_version_available", on(r.openAPI)}, {"health_endpoint", on(r.health)}, {"metadata_endpoint", on(r.metadata)},
		{"schema_endpoint", on(func(ctx context.Context) error { _, err := r.schema(ctx); return err })}, {"mcp_endpoint", on(r.mcp)},
		{"mode_endpoint_consistency", on(r.mode)},
		{"raw_messages", on(func(ctx context.Context) error {
			return r.raw(ctx, [][2]string{{"{", "INVALID_JSON"}, {`{"type":"dance"}`, "UNKNOWN_TYPE"}, {`{"type":"step"}`, "VALIDATION_ERROR"}})
		})},
		// A reader that recurses dies of this one, and takes the episode with it.
		{"nested_message_is_an_error", on(func(ctx context.Context) error {
			return r.raw(ctx, [][2]string{{`{"type":"step","data":{"a":` + strings.Repeat("[", 20_000), "INVALID_JSON"}})
		})},
	}
}

func (r *Remote) get(ctx context.Context, method, path, body string) (map[string]json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base.JoinPath(path).String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, r.header)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	if resp.StatusCode != http.StatusOK || json.Unmarshal(b, &out) != nil {
		return nil, fmt.Errorf("%s /%s: status %d, body %.120q; want 200 and an object", method, path, resp.StatusCode, b)
	}
	return out, nil
}

// Reach says why nothing can be tried at the address: nobody answers, or nobody lets us in, which would make every rule
// look broken. Whatever else answers there is a server, and the rules are about it.
func (r *Remote) Reach(ctx context.Context) error {
	for _, path := range []string{"health", "schema"} { // health is open to everybody
		status, err := r.status(ctx, path)
		switch {
		case err != nil:
			return err
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return fmt.Errorf("the server answers %d at /%s: put its credential into the address, %s://NAME:PASSWORD@%s", status, path, r.base.Scheme, r.base.Host)
		}
	}
	return nil
}

func (r *Remote) status(ctx context.Context, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base.JoinPath(path).String(), nil)
	if err != nil {
		return 0, err
	}
	maps.Copy(req.Header, r.header)
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func (r *Remote) openAPI(ctx context.Context) error {
	m, err := r.get(ctx, "GET", "openapi.json", "")
	if err != nil {
		return err
	}
	var info struct{ Version string }
	if json.Unmarshal(m["info"], &info) != nil || info.Version == "" {
		return errors.New("/openapi.json has no info.version")
	}
	return nil
}

func (r *Remote) health(ctx context.Context) error {
	m, err := r.get(ctx, "GET", "health", "")
	if err == nil && string(m["status"]) != `"healthy"` {
		err = fmt.Errorf("/health says %s", m["status"])
	}
	return err
}

func (r *Remote) metadata(ctx context.Context) error {
	m, err := r.get(ctx, "GET", "metadata", "")
	for _, key := range []string{"name", "description"} {
		var s *string
		if err == nil && (json.Unmarshal(m[key], &s) != nil || s == nil) {
			err = fmt.Errorf("/metadata: %s is no text", key)
		}
	}
	return err
}

func (r *Remote) schema(ctx context.Context) (action map[string]any, err error) {
	m, err := r.get(ctx, "GET", "schema", "")
	for _, key := range []string{"observation", "state", "action"} {
		action = nil
		if err == nil && (json.Unmarshal(m[key], &action) != nil || action == nil) {
			err = fmt.Errorf("/schema: %s is no object", key)
		}
	}
	return action, err
}

func (r *Remote) mcp(ctx context.Context) error {
	m, err := r.get(ctx, "POST", "mcp", "{}")
	if err == nil && string(m["jsonrpc"]) != `"2.0"` {
		err = errors.New("/mcp does not answer in JSON-RPC 2.0")
	}
	return err
}

func (r *Remote) mode(ctx context.Context) error {
	m, err := r.get(ctx, "GET", "openapi.json", "")
	if err != nil {
		return err
	}
	var paths map[string]any
	if json.Unmarshal(m["paths"], &paths) != nil || len(paths) == 0 {
		return errors.New("/openapi.json has no paths")
	}
	_, reset := paths["/reset"]
	_, step := paths["/step"]
	_, state := paths["/state"]
	if step != reset || state != reset {
		return fmt.Errorf("/reset, /step and /state are served together or not at all: %v, %v, %v", reset, step, state)
	}
	return nil
}

// raw sends what is no message, each with the code of its answer. The connection goes on.
func (r *Remote) raw(ctx context.Context, messages [][2]string) error {
	return with(ctx, r, func(p Peer) error {
		s, ok := p.(*socket)
		if !ok {
			return &Unchecked{"not a socket"}
		}
		if _, err := s.Reset(ctx, 1, ""); err != nil {
			return err
		}
		for _, c := range messages {
			_, err := s.ask(ctx, []byte(c[0]), "error")
			var refused *Refused
			if !errors.As(err, &refused) || refused.Code != c[1] {
				return fmt.Errorf("message %.60s: want %s, have %w", c[0], c[1], errOr(err))
			}
		}
		if _, err := s.State(ctx); err != nil {
			return fmt.Errorf("state after errors: %w", err)
		}
		return nil
	})
}

// Actions makes the smallest action that the schema takes, and some that it cannot take.
func (r *Remote) Actions(ctx context.Context) ([]byte, [][]byte, error) {
	schema, err := r.schema(ctx)
	if err != nil {
		return nil, nil, err
	}
	valid, err := json.Marshal(smallest(schema))
	return valid, [][]byte{[]byte(`{"no_such_key_of_any_action":1}`), []byte(`"text"`), []byte(`[]`)}, err
}

// smallest fills the required properties of an object; of alternatives the first.
func smallest(schema map[string]any) map[string]any {
	properties, _ := schema["properties"].(map[string]any)
	out := map[string]any{}
	fill := func(s map[string]any) {
		required, _ := s["required"].([]any)
		for _, k := range required {
			if key, ok := k.(string); ok {
				p, _ := properties[key].(map[string]any)
				out[key] = example(p)
			}
		}
	}
	fill(schema)
	for _, key := range []string{"oneOf", "anyOf"} {
		if alternatives, ok := schema[key].([]any); ok && len(alternatives) > 0 {
			if first, ok := alternatives[0].(map[string]any); ok {
				fill(first)
			}
		}
	}
	return out
}

func example(p map[string]any) any {
	if all, ok := p["enum"].([]any); ok && len(all) > 0 {
		return all[0]
	}
	if c, ok := p["const"]; ok {
		return c
	}
	kind, _ := p["type"].(string)
	if all, ok := p["type"].([]any); ok && len(all) > 0 {
		kind, _ = all[0].(string)
	}
	switch kind {
	case "integer", "number":
		if low, ok := p["minimum"].(float64); ok {
			return low
		}
		return 0
	case "boolean":
		return false
	case "array":
		return []any{}
	case "object":
		return smallest(p)
	}
	return "I do not know."
}
