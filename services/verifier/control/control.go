// Package control is the verifier `control`: rewards that know nothing of the task. A policy that improves as much under one of
// them as under the real reward was not taught by the real reward (`provenir reward-validity`).
package control

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "control"

// Kinds of controls. Shuffled rewards are no kind: they are the real verifier with the rows of other tasks.
const (
	Random   = "random"
	Constant = "constant"
	Format   = "format_only"
	Long     = "length_only"
)

// Descriptor describes control.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "a reward that knows nothing of the task, to compare a real one with; never train for its own sake",
		Options: []spec.Option{
			{Name: "kind", Type: spec.Choice, Required: true, Allowed: []string{Random, Constant, Format, Long},
				Doc: "random: drawn from the rollout's id; constant: 1; format_only: 1 where the response has a form that graders look for; length_only: characters of 4,096"},
			{Name: "seed", Type: spec.Integer, Default: int64(1), Min: 0, Max: 1 << 52, Doc: "seed of random"},
		},
	}
}

type judge struct {
	kind string
	seed uint64
}

// New makes a control.
func New(_ string, v spec.Values) (verdict.Judge, error) {
	return &judge{kind: v.String("kind"), seed: uint64(v.Int("seed"))}, nil
}

// Judge never looks at the row. It passes from one half on, so that passing means as little as the reward does.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	reward := 1.0
	switch j.kind {
	case Random:
		reward = draw(j.seed, c.ID, c.Response)
	case Format:
		reward = Form(c.Response)
	case Long:
		reward = Length(c.Response)
	}
	return verdict.Score(Name, verdict.Scored{Reward: reward, Passed: reward >= 0.5, Reason: j.kind}, verdict.Range{})
}

// draw is the same for the same rollout however often it is judged: a replay must pay what was paid.
func draw(seed uint64, id, response string) float64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], seed)
	binary.BigEndian.PutUint64(b[8:], uint64(len(id)))
	sum := sha256.Sum256([]byte(string(b[:]) + id + response))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// longest is the length in bytes from which on a response pays no more.
const longest = 4096

// Length is what length alone pays.
func Length(response string) float64 { return float64(min(len(response), longest)) / longest }

// Form is 1 where a response has a form that graders look for, whatever stands in it.
func Form(response string) float64 {
	text := strings.TrimSpace(response)
	for _, mark := range [...]string{`\boxed{`, "####", "```", "<tool_call>"} {
		if strings.Contains(text, mark) {
			return 1
		}
	}
	if strings.Contains(strings.ToLower(text), "answer is") || len(text) > 1 && (text[0] == '{' || text[0] == '[') && json.Valid([]byte(text)) {
		return 1
	}
	return 0
}
