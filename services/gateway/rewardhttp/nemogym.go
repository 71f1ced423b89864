package rewardhttp

import (
	"encoding/json"
	"net/http"
	"strings"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// gymResponse is the part of a Responses answer that was said to the user.
type gymResponse struct {
	Output []struct {
		Type    string          `json:"type"`
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"output"`
}

// said joins the output texts of the assistant's messages, in their order. Reasoning and tool calls are not said.
func (g *gymResponse) said() (string, error) {
	var out strings.Builder
	for _, item := range g.Output {
		if item.Type != "message" || item.Role != "assistant" {
			continue
		}
		var plain string
		if json.Unmarshal(item.Content, &plain) == nil {
			out.WriteString(plain)
			continue
		}
		var parts []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}
		if err := json.Unmarshal(item.Content, &parts); err != nil {
			return "", invalid("response.output", "the content of a message is text or a list of parts: %v", err)
		}
		for _, p := range parts {
			if p.Type == "output_text" {
				out.WriteString(p.Text)
			}
		}
	}
	return out.String(), nil
}

// verify gives the request back with its reward. Other columns of the request are the task's row; a reference may be
// called expected_answer, as NeMo-Gym's data sets do.
func (s *Server) verify(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
	spec, err := specOf(r)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := read(body, &all); err != nil {
		return nil, err
	}
	var response gymResponse
	if all["response"] == nil || all["responses_create_params"] == nil {
		return nil, invalid("response", "the body has responses_create_params and response")
	}
	if err := json.Unmarshal(all["response"], &response); err != nil {
		return nil, invalid("response", "response is an answer of the Responses API: %v", err)
	}
	said, err := response.said()
	if err != nil {
		return nil, err
	}
	row := map[string]json.RawMessage{}
	for k, v := range all {
		if k != "response" && k != "responses_create_params" && k != "reward" {
			row[k] = v
		}
	}
	if row["reference"] == nil && row["references"] == nil && row["expected_answer"] != nil {
		row["reference"] = row["expected_answer"]
	}
	rowJSON, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	got, err := s.verifier.Verify(r.Context(), &verifierv1.VerifyRequest{Spec: spec, Candidate: &verifierv1.Candidate{Response: []byte(said), RowJson: rowJSON}})
	if err != nil {
		return nil, err
	}
	scored := got.GetVerdict().GetScored()
	if scored == nil { // a failed judge is an outcome of its own, and no reward
		u := got.GetVerdict().GetUnscored()
		class := reasonName(u.GetReason())
		return nil, &statusError{http.StatusBadGateway, map[string]any{"detail": u.GetDetail(), "failure_class": class, "retryable": u.GetRetryable()}, ""}
	}
	if all["reward"], err = json.Marshal(scored.GetReward()); err != nil {
		return nil, err
	}
	return all, nil
}

// seedSession has nothing to prepare: a verdict depends on its request only. The caller is still who it says.
func (s *Server) seedSession(_ http.ResponseWriter, r *http.Request, body []byte) (any, error) {
	var request map[string]json.RawMessage
	if len(body) > 0 {
		if err := read(body, &request); err != nil {
			return nil, err
		}
	}
	_, err := s.verifier.ListVerifiers(r.Context(), &verifierv1.ListVerifiersRequest{})
	return map[string]string{}, err
}
