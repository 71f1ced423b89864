package verifier

import (
	"context"
	"encoding/json"
	"slices"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/toolcall"
)

// ParseToolCalls says which tool calls a text makes.
func (s *Service) ParseToolCalls(_ context.Context, r *verifierv1.ParseToolCallsRequest) (*verifierv1.ParseToolCallsResponse, error) {
	format := r.GetFormat()
	if format == "" {
		format = "auto"
	}
	if known := toolcall.Formats(); format != "auto" && !slices.Contains(known, format) {
		return nil, invalid("format", "no format %q; known are auto and %v", format, known)
	}
	var tools toolcall.Tools
	if len(r.GetToolsJson()) > 0 {
		var err error
		if tools, err = toolcall.ReadTools(r.GetToolsJson()); err != nil {
			return nil, invalid("tools_json", "%w", err)
		}
	}
	p := toolcall.Parse(string(r.GetRaw()), format, tools)
	out := &verifierv1.ParseToolCallsResponse{Id: r.GetId(), Outcome: string(p.Outcome), Format: p.Format, Reason: p.Reason}
	for _, c := range p.Calls {
		arguments, err := json.Marshal(c.Arguments)
		if err != nil {
			return nil, invalid("raw", "the arguments of %s cannot be written as JSON: %v", c.Name, err)
		}
		out.Calls = append(out.Calls, &verifierv1.ToolCall{Name: c.Name, ArgumentsJson: string(arguments), CallId: c.ID})
	}
	return out, nil
}
