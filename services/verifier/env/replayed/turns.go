package replayed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// maxTurns bounds what one rollout may have: more than any environment allows.
const maxTurns = 1024

// turn is an action and what the rollout says came back; nil where it does not say.
type turn struct {
	action, observed []byte
}

// turnsOf reads the segments of a rollout, or the column turns of a row ([{"action", "observation"}]); a candidate with neither is
// one answer.
func turnsOf(c *verdict.Candidate) (prompt []byte, turns []turn, err error) {
	if len(c.Rollout) > 0 {
		return segments(c.Rollout)
	}
	raw, ok := c.Row.Get("turns")
	if !ok {
		return nil, []turn{{action: []byte(c.Response)}}, nil
	}
	var list []struct {
		Action      *string `json:"action"`
		Observation *string `json:"observation"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > maxTurns {
		return nil, nil, fmt.Errorf("turns: want a list of 1 to %d {action, observation}", maxTurns)
	}
	for i, t := range list {
		if t.Action == nil {
			return nil, nil, fmt.Errorf("turns: turn %d has no action", i+1)
		}
		one := turn{action: []byte(*t.Action)}
		if t.Observation != nil {
			one.observed = []byte(*t.Observation)
		}
		turns = append(turns, one)
	}
	return nil, turns, nil
}

// segments are turns of a rollout: what the policy wrote without a break is one action.
func segments(b []byte) (prompt []byte, turns []turn, err error) {
	r := &corev1.Rollout{}
	if err := proto.Unmarshal(b, r); err != nil {
		return nil, nil, errors.New("the rollout's bytes are not a core.v1.Rollout")
	}
	for _, b := range r.GetBlobs() {
		if b.GetMediaType() != "application/json" {
			return nil, nil, errors.New("a part of what the policy wrote lies in a blob; turns of an episode come in segments")
		}
	}
	writing := false
	for _, s := range r.GetSegments() {
		switch s.GetKind() {
		case corev1.SegmentKind_SEGMENT_KIND_MODEL:
			if !writing {
				turns = append(turns, turn{})
			}
			last := &turns[len(turns)-1]
			last.action = append(last.action, s.GetText()...)
			writing = true
		case corev1.SegmentKind_SEGMENT_KIND_PROMPT:
			if len(turns) == 0 {
				prompt = append(prompt, s.GetText()...)
			}
			writing = false
		default:
			if len(turns) > 0 {
				last := &turns[len(turns)-1]
				last.observed = append(append([]byte{}, last.observed...), s.GetText()...) // not nil: it says that nothing came back
			}
			writing = false
		}
	}
	if len(turns) == 0 || len(turns) > maxTurns {
		return nil, nil, fmt.Errorf("the rollout has %d turns of the policy; want 1 to %d", len(turns), maxTurns)
	}
	return prompt, turns, nil
}

func number(raw []byte, to *uint64) error {
	text, err := verdict.Text(raw)
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseUint(text, 10, 64); err != nil {
		return fmt.Errorf("%q is no integer from 0", text)
	}
	return nil
}
