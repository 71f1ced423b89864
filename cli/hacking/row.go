package hacking

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
)

// refusal is why a row cannot be sent.
type refusal struct{ code, text string }

func bad(format string, args ...any) *refusal {
	return &refusal{"bad_row", fmt.Sprintf(format, args...)}
}

// maxLine is what a message may hold; the row reader's own bound is as large as the whole message.
const maxLine = 3 << 20

type call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Function  *call           `json:"function"`
}

type message struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	ToolCalls []call          `json:"tool_calls"`
	Reasoning string          `json:"reasoning"`
}

type written struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

type finding struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Detail   string `json:"detail"`
}

// verification is what `provenir verify` writes for a row, or only its findings.
type verification struct {
	Findings []finding `json:"findings"`
	Tamper   []string  `json:"tamper"`
	Passed   *bool     `json:"passed"`
}

// trajectory reads a row.
func trajectory(row *rows.Row, ids map[string]bool) (*recorderv1.Trajectory, *refusal) {
	t := &recorderv1.Trajectory{}
	raw, ok := row.Get("id")
	if !ok {
		return t, &refusal{"missing_id", "the row has no id; give every row its own"}
	}
	if json.Unmarshal(raw, &t.Id) != nil {
		t.Id = string(raw) // a number
	}
	if ids[t.Id] {
		return t, &refusal{"duplicate_id", "another row has the id " + t.Id}
	}
	ids[t.Id] = true
	size := 0
	for _, f := range row.Fields {
		size += len(f.JSON)
		if why := field(t, f.Key, f.JSON); why != nil {
			return t, why
		}
	}
	if size > maxLine {
		return t, &refusal{"too_large", "the row has more than 3 MiB"}
	}
	if !given(row, "response") && !given(row, "trajectory") && !given(row, "messages") && len(t.Files) == 0 {
		return t, bad("the row has no column response and no trajectory")
	}
	return t, nil
}

// given says whether a column holds something; null is absent.
func given(row *rows.Row, key string) bool {
	raw, ok := row.Get(key)
	return ok && string(raw) != "null"
}

func field(t *recorderv1.Trajectory, key string, raw []byte) *refusal {
	if string(raw) == "null" {
		return nil // absent
	}
	switch key {
	case "prompt":
		return text(key, raw, &t.Prompt)
	case "response":
		return text(key, raw, &t.Response)
	case "reference":
		return text(key, raw, &t.Reference)
	case "tests":
		return lines(key, raw, &t.Tests)
	case "group":
		if json.Unmarshal(raw, &t.Group) != nil {
			t.Group = string(raw)
		}
	case "proxy_reward":
		return number(key, raw, &t.ProxyReward)
	case "heldout_reward":
		return number(key, raw, &t.HeldoutReward)
	case "reward_range":
		return number(key, raw, &t.RewardRange)
	case "passed":
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return bad("column passed is no truth value")
		}
		t.Passed = &b
	case "trajectory", "messages":
		return messages(t, key, raw)
	case "files":
		var files []written
		if json.Unmarshal(raw, &files) != nil {
			return bad("column files is no list of {path, content}")
		}
		for _, f := range files {
			t.Files = append(t.Files, &recorderv1.FileWrite{Path: f.Path, Content: f.Content})
		}
	case "verification":
		return verified(t, raw)
	}
	return nil
}

func text(key string, raw []byte, to *string) *refusal {
	if json.Unmarshal(raw, to) != nil {
		return bad("column %s is no text", key)
	}
	return nil
}

// lines takes a text, or a list of texts as data sets keep tests.
func lines(key string, raw []byte, to *string) *refusal {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		*to = strings.Join(list, "\n")
		return nil
	}
	return text(key, raw, to)
}

// number takes a number; the texts NaN and Infinity, which JSON cannot hold, are values too: they are told as not checked.
func number(key string, raw []byte, to **float64) *refusal {
	var x float64
	if json.Unmarshal(raw, &x) != nil {
		switch strings.Trim(string(raw), `"`) {
		case "NaN", "nan":
			x = math.NaN()
		case "Infinity", "inf":
			x = math.Inf(1)
		case "-Infinity", "-inf":
			x = math.Inf(-1)
		default:
			return bad("column %s is no number", key)
		}
	}
	*to = &x
	return nil
}

func messages(t *recorderv1.Trajectory, key string, raw []byte) *refusal {
	var list []message
	if json.Unmarshal(raw, &list) != nil {
		var s string
		if json.Unmarshal(raw, &s) == nil { // a trajectory that is one text
			t.Response = s
			return nil
		}
		return bad("column %s is no list of {role, content, tool_calls}", key)
	}
	if len(list) == 0 {
		return bad("column %s has no messages", key)
	}
	for _, m := range list {
		out := &recorderv1.TrajectoryMessage{Role: m.Role, Content: content(m.Content), Reasoning: m.Reasoning}
		for _, c := range m.ToolCalls {
			if c.Function != nil {
				c = *c.Function
			}
			var args string
			if json.Unmarshal(c.Arguments, &args) != nil {
				args = string(bytes.TrimSpace(c.Arguments))
			}
			out.ToolCalls = append(out.ToolCalls, &recorderv1.ToolUse{Name: c.Name, Arguments: args})
		}
		t.Messages = append(t.Messages, out)
	}
	return nil
}

// content takes a text, or the parts of one.
func content(raw []byte) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return string(raw)
	}
	for _, p := range parts {
		s += p.Text
	}
	return s
}

func verified(t *recorderv1.Trajectory, raw []byte) *refusal {
	var v verification
	if json.Unmarshal(raw, &v) != nil {
		if json.Unmarshal(raw, &v.Findings) != nil {
			return bad("column verification is neither a line of `provenir verify` nor a list of findings {kind, severity}")
		}
	}
	t.Tamper = v.Tamper
	if t.Passed == nil {
		t.Passed = v.Passed
	}
	for _, f := range v.Findings {
		s, known := corev1.Severity_value["SEVERITY_"+strings.ToUpper(f.Severity)]
		if !known || f.Kind == "" {
			return bad("verification: a finding needs a kind and a severity of info, warn or critical")
		}
		t.Verification = append(t.Verification, &corev1.Finding{Kind: f.Kind, Severity: corev1.Severity(s), Detail: f.Detail})
	}
	return nil
}
