package verifier

import (
	"context"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// findingEcho says that a row's own prompt passes as an answer to it: a policy that repeats the question would be paid.
const findingEcho = "echo_passes"

// try is a judgement that nobody is paid for: it is neither counted nor kept.
type try struct {
	verdict  verdict.Verdict
	measured *corev1.Measured
}

// checkTask runs a row's own solution, which must pass, and an empty answer, which must fail. A reference alone is tried
// as it is and in the forms in which answers come, since a profile may read only what stands behind #### or in a box. A
// prompt that passes as its own answer is a finding and no fault of the row: the verifier's options, or a prompt that
// ends otherwise, mend it.
func (s *Service) checkTask(ctx context.Context, c *verdict.Candidate, compiled *catalog.Compiled, limit time.Duration) *verifierv1.VerifyBatchResponse {
	answer := func(t try, ok bool) *verifierv1.VerifyBatchResponse {
		m := encode(&t.verdict, c.ID, compiled.Digest[:], nil)
		return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Verdict{Verdict: m}, Measured: t.measured, TaskOk: &ok}
	}
	respond := func(response string) try {
		other := *c
		other.Response = response
		v, m := s.decide(ctx, compiled, &other, limit)
		return try{v, m}
	}
	own := ownAnswers(c)
	if len(own) == 0 {
		return unchecked(respond(""), c, compiled)
	}
	var best try
	for i, response := range own {
		t := respond(response)
		if i == 0 || t.verdict.Passed() {
			best = t
		}
		if t.verdict.Passed() {
			break
		}
	}
	if !best.verdict.Passed() {
		return answer(best, false)
	}
	empty := respond("")
	if _, scored := empty.verdict.Scored(); !scored || empty.verdict.Passed() {
		return answer(empty, false)
	}
	// A prompt that is a program which passes its own tests is nothing that happens, and running one costs a job a row.
	if prompt, ok := promptOf(c); ok && !compiled.Waits {
		if echo := respond(prompt); echo.verdict.Passed() {
			best.verdict.Note(findingEcho, verdict.Warn, "the prompt passes as its own answer; it was read as "+verdict.Cap(echo.verdict.Extracted))
		}
	}
	return answer(best, true)
}

// unchecked answers for a row without any answer of its own, as those of json_schema and tool_call often are: whether a
// right answer passes was not tried, so nothing is said of it. An empty answer must fail all the same.
func unchecked(empty try, c *verdict.Candidate, compiled *catalog.Compiled) *verifierv1.VerifyBatchResponse {
	v := &empty.verdict
	out := &verifierv1.VerifyBatchResponse{Id: c.ID, Measured: empty.measured}
	if _, scored := v.Scored(); !scored || v.Passed() {
		no := false
		out.TaskOk = &no
	} else {
		v.Note("no_own_answer", verdict.Info, "the row has no reference, solution or completion; only the empty answer was tried")
	}
	out.Result = &verifierv1.VerifyBatchResponse_Verdict{Verdict: encode(v, c.ID, compiled.Digest[:], nil)}
	return out
}

func promptOf(c *verdict.Candidate) (string, bool) {
	raw, ok := c.Row.Get("prompt")
	if !ok {
		return "", false
	}
	s, err := verdict.Text(raw)
	return s, err == nil && s != ""
}

func ownAnswers(c *verdict.Candidate) []string {
	var out []string
	for _, key := range [...]string{"solution", "completion"} {
		if raw, ok := c.Row.Get(key); ok {
			if s, err := verdict.Text(raw); err == nil && s != "" {
				out = append(out, s)
			}
		}
	}
	refs, err := verdict.Fields{}.References(c.Row)
	if err != nil {
		return out
	}
	return append(out, refs[0], "#### "+refs[0], `\boxed{`+refs[0]+`}`)
}
