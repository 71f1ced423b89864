package inspect

import (
	"encoding/json"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/hack"
)

// rollout is what is kept of one until its verdict comes.
type rollout struct {
	row    hack.Row
	tokens int // that the policy wrote; 0 where the engine counts none
	bytes  int
	prompt uint64
	text   string // all that the policy wrote
}

// read takes a ROLLOUT record's payload; ok is false for bytes that are no rollout, and for one that the policy wrote
// nothing into or that is not whole here.
func read(payload []byte) (id string, out *rollout, ok bool) {
	var r corev1.Rollout
	if proto.Unmarshal(payload, &r) != nil || len(r.GetBlobs()) > 0 {
		return "", nil, false
	}
	out = &rollout{row: hack.Row{Group: r.GetGroupId(), Reference: column(&r, "reference"), Tests: column(&r, "tests")}}
	h := uint64(14695981039346656037)
	models := 0
	for _, s := range r.GetSegments() {
		text := string(s.GetText())
		switch s.GetKind() {
		case corev1.SegmentKind_SEGMENT_KIND_MODEL:
			models++
			out.text += text
			out.bytes += len(text)
			if s.GetTokenTo() > s.GetTokenFrom() {
				out.tokens += int(s.GetTokenTo() - s.GetTokenFrom())
			}
			out.row.Messages = append(out.row.Messages, hack.Message{Role: "assistant", Content: text})
		case corev1.SegmentKind_SEGMENT_KIND_PROMPT:
			out.row.Prompt += text
			for i := range len(text) {
				h = (h ^ uint64(text[i])) * 1099511628211
			}
		default: // a tool's or an environment's: nobody judges them
		}
	}
	if models == 0 {
		return "", nil, false
	}
	if models == 1 {
		out.row.Messages, out.row.Response = nil, []byte(out.text)
	}
	out.prompt = h
	return r.GetRolloutId(), out, true
}

// column is a text column of the dataset's row; empty where there is none, or it is no text.
func column(r *corev1.Rollout, key string) string {
	for _, c := range r.GetColumns() {
		var s string
		if c.GetKey() == key && json.Unmarshal(c.GetJson(), &s) == nil {
			return s
		}
	}
	return ""
}

// judge adds what the verifier said of it.
func (r *rollout) judge(v *corev1.Verdict) {
	r.row.Verified = true
	if s := v.GetScored(); s != nil {
		r.row.Proxy, r.row.Passed = &s.Reward, &s.Passed
	}
	r.witness(v)
}

func (r *rollout) witness(v *corev1.Verdict) {
	for _, f := range v.GetFindings() {
		r.row.Evidence = append(r.row.Evidence, hack.Evidence{Kind: f.GetKind(), Severity: hack.Severity(f.GetSeverity()), Detail: f.GetDetail()})
	}
	r.row.Tamper = append(r.row.Tamper, v.GetExecution().GetTamper()...)
	for _, m := range v.GetMembers() {
		r.witness(m)
	}
}
