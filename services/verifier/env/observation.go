package env

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Phase is where an episode stands.
type Phase string

// The phases. Terminated is the task's own end, Truncated that by turns or time, Failed that by errors.
const (
	Created    Phase = "created"
	Running    Phase = "running"
	Terminated Phase = "terminated"
	Truncated  Phase = "truncated"
	Failed     Phase = "failed"
	Closed     Phase = "closed"
)

// Observation is what the policy sees.
type Observation struct {
	Text   string
	Error  string   // why the action was not carried out; it counts against the allowance
	Turn   int      // 0 is the reset
	Reward *float64 // nil while it is not known, and where there is none
	phase  Phase
}

// Done says that the episode has ended.
func (o *Observation) Done() bool { return o.phase != Running }

// Truncated says that it ended by turns or time.
func (o *Observation) Truncated() bool { return o.phase == Truncated }

// maxObservation is how much of a tool's output a policy sees, in bytes; maxProblem of an error, which repeats what the
// policy wrote.
const (
	maxObservation = 8 << 10
	maxProblem     = 400
)

// shown makes text valid and cuts it, without cutting a rune in two; the end says how much is missing.
func shown(s string, most int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "�")
	}
	if len(s) <= most {
		return s
	}
	const mark = " …[%d bytes more]"
	end := most - len(mark) - 10 // a byte count has at most 10 digits here
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + fmt.Sprintf(mark, len(s)-end)
}
