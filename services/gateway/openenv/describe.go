package openenv

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// find asks the service for an environment, with the caller's credential.
func (s *Server) find(ctx context.Context, name string) (*verifierv1.Environment, error) {
	all, err := s.d.Verifier.ListEnvironments(ctx, &verifierv1.ListEnvironmentsRequest{})
	if err != nil {
		return nil, err
	}
	for _, e := range all.GetEnvironments() {
		if e.GetName() == name {
			return e, nil
		}
	}
	return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "no environment %.80q", name)
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "healthy"})
}

func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	e, err := s.find(r.Context(), s.environment(r))
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"name": e.GetName(), "description": e.GetSummary(), "version": s.cfg.Version,
		"readme_content": nil, "author": nil, "documentation_url": nil})
}

type object map[string]any

func closedObject(properties object, required ...string) object {
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (s *Server) schema(w http.ResponseWriter, r *http.Request) {
	e, err := s.find(r.Context(), s.environment(r))
	if err != nil {
		fail(w, err)
		return
	}
	var tools []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(e.GetToolsJson(), &tools); err != nil {
		fail(w, fmt.Errorf("the tools of %s: %w", e.GetName(), err))
		return
	}
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	text, number, flag := object{"type": "string"}, object{"type": "integer", "minimum": 0}, object{"type": "boolean"}
	answer(w, http.StatusOK, object{
		"action": object{"type": "object", "additionalProperties": false, "properties": object{
			"text":      object{"type": "string", "description": "as the policy wrote it: a tool call in any format, or the final answer"},
			"tool":      object{"type": "string", "enum": names},
			"arguments": object{"type": "object"},
			"type":      object{"const": "call_tool"},
			"tool_name": object{"type": "string", "enum": names},
			"metadata":  object{"type": "object"},
		}, "oneOf": []object{{"required": []string{"text"}}, {"required": []string{"tool"}}, {"required": []string{"type", "tool_name"}}}},
		"observation": closedObject(object{"episode_id": text, "error": object{"type": []string{"string", "null"}}, "text": text,
			"truncated": flag, "turn": number}, "episode_id", "error", "text", "truncated", "turn"),
		"state": closedObject(object{"episode_id": object{"type": []string{"string", "null"}}, "step_count": number, "phase": text, "errors": number},
			"episode_id", "step_count", "phase", "errors"),
	})
}

// openAPI names the endpoints; clients tell simulation from production by them.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	paths := object{}
	add := func(method, path, summary string) {
		paths[path] = object{method: object{"summary": summary, "responses": object{"200": object{"description": "OK"}}}}
	}
	add("get", "/health", "Whether the server is there")
	add("get", "/metadata", "Name and description of the environment")
	add("get", "/schema", "Schemas of action, observation and state")
	add("post", "/mcp", "Tools over JSON-RPC")
	if !s.cfg.Production {
		add("post", "/reset", "Begins an episode")
		add("post", "/step", "Acts in the episode that episode_id names")
		add("get", "/state", "The state of the episode that the query names as episode_id")
	}
	answer(w, http.StatusOK, object{"openapi": "3.1.0", "info": object{"title": "Provenir environment", "version": "1.0.0"}, "paths": paths})
}
