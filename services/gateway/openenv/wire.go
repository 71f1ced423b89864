package openenv

import (
	"bytes"
	"encoding/json"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// code is one of OpenEnv's error codes.
type code string

const (
	invalidJSON     code = "INVALID_JSON"
	unknownType     code = "UNKNOWN_TYPE"
	validationError code = "VALIDATION_ERROR"
	executionError  code = "EXECUTION_ERROR"
	capacityReached code = "CAPACITY_REACHED"
	factoryError    code = "FACTORY_ERROR"
	sessionError    code = "SESSION_ERROR"
)

// failure is what a client is told; a fatal one ends the connection.
type failure struct {
	code    code
	message string
	fatal   bool
}

func (f *failure) Error() string { return string(f.code) + ": " + f.message }

type envelope struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

type errorData struct {
	Message string `json:"message"`
	Code    code   `json:"code"`
}

// observed is the answer to reset and step, over HTTP and /ws alike. Its keys are OpenEnv's, and there are no others.
type observed struct {
	Observation observation `json:"observation"`
	Reward      *float64    `json:"reward"`
	Done        bool        `json:"done"`
}

type observation struct {
	EpisodeID string  `json:"episode_id"`
	Error     *string `json:"error"`
	Text      string  `json:"text"`
	Truncated bool    `json:"truncated"`
	Turn      uint32  `json:"turn"`
}

type state struct {
	EpisodeID *string `json:"episode_id"`
	StepCount uint32  `json:"step_count"`
	Phase     string  `json:"phase"`
	Errors    uint32  `json:"errors"`
}

func observedOf(o *verifierv1.Observation) observed {
	out := observed{Done: o.GetDone(), Reward: o.Reward, Observation: observation{ //nolint:protogetter // absence counts
		EpisodeID: o.GetEpisodeId(), Text: o.GetText(), Truncated: o.GetTruncated(), Turn: o.GetTurn()}}
	if o.GetError() != "" {
		out.Observation.Error = &o.Error
	}
	return out
}

func stateOf(s *verifierv1.EpisodeState) state {
	out := state{StepCount: s.GetTurn(), Phase: s.GetPhase(), Errors: s.GetErrors()}
	if s.GetEpisodeId() != "" {
		out.EpisodeID = &s.EpisodeId
	}
	return out
}

// written is compact JSON without HTML escapes: what a policy reads should look as it was said.
func written(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // texts, numbers that are finite, and flags only
		return []byte(`{"type":"error","data":{"message":"the answer cannot be written","code":"EXECUTION_ERROR"}}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
