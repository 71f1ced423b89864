package toolcall

import (
	"strings"
)

const (
	dsCalls, dsCallsEnd = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
	dsCall, dsCallEnd   = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
	dsSep               = "<｜tool▁sep｜>"
	toolCall            = "<tool_call>"
	toolCallEnd         = "</tool_call>"
	mistralCalls        = "[TOOL_CALLS]"
)

// detect names the formats whose own marks stand in a text.
func detect(s string) []string {
	var out []string
	for _, f := range formats() {
		for _, mark := range f.own {
			if strings.Contains(s, mark) {
				out = append(out, f.name)
				break
			}
		}
	}
	if strings.Contains(s, toolCall) || strings.Contains(s, toolCallEnd) || strings.Contains(s, "<function=") && !strings.Contains(s, "<seed:tool_call>") {
		out = append(out, insideToolCall(s))
	}
	if strings.Contains(s, mistralCalls) {
		out = append(out, afterToolCalls(s))
	}
	if strings.Contains(s, dsCalls) || strings.Contains(s, dsCall) || strings.Contains(s, dsCallsEnd) {
		name := "deepseek_v31"
		if strings.Contains(s, "function"+dsSep) {
			name = "deepseek_v3"
		}
		out = append(out, name)
	}
	return out
}

func insideToolCall(s string) string {
	_, in, _ := strings.Cut(s, toolCall)
	in = strings.TrimSpace(in)
	switch {
	case strings.HasPrefix(in, "<function="), !strings.Contains(s, toolCall) && strings.Contains(s, "<function="):
		return "qwen3_coder"
	case in == "", in[0] == '{', in[0] == '[', strings.HasPrefix(in, toolCallEnd):
		return "hermes"
	}
	return "glm45"
}

func afterToolCalls(s string) string {
	_, in, _ := strings.Cut(s, mistralCalls)
	in = strings.TrimSpace(in)
	switch {
	case strings.Contains(in, "[ARGS]"):
		return "mistral_v13"
	case in == "", in[0] == '[', in[0] == '{':
		return "mistral"
	}
	return "mistral_v11"
}

// byShape reads a text without marks: JSON that has the keys of a call, a list of Python calls, or a fenced block.
func byShape(text string, tools Tools) Parsed {
	s := strings.TrimSpace(text)
	switch {
	case s == "":
		return Parsed{Outcome: None, Format: "auto"}
	case s[0] == '{' || s[0] == '[' && looksLikeJSON(s):
		if p, ok := byKeys(s, tools); ok {
			return p
		}
		return Parsed{Outcome: None, Format: "auto", Prose: true}
	case s[0] == '[' && startsCall(s[1:]):
		return pythonic(s, tools)
	}
	if p := fencedJSON(text, tools); p.Outcome != None {
		return p
	}
	return Parsed{Outcome: None, Format: "auto", Prose: true}
}

func looksLikeJSON(s string) bool {
	in := strings.TrimSpace(s[1:])
	return in != "" && (in[0] == '{' || in[0] == '"')
}

// byKeys chooses among the formats that are plain JSON. ok is false for JSON that is no call.
func byKeys(s string, tools Tools) (Parsed, bool) {
	raw, _, err := take(s)
	if err != nil {
		// Broken JSON: a call that cannot be read, if it has anything of one.
		for _, key := range []string{`"name"`, `"tool"`, `"tool_calls"`, `"function"`, `"tool_use"`, `"arguments"`, `"parameters"`} {
			if strings.Contains(s, key) {
				return malformed("auto", err.Error()), true
			}
		}
		return Parsed{}, false
	}
	v, err := value(raw)
	if err != nil {
		return malformed("auto", err.Error()), true
	}
	if items, ok := v.([]any); ok {
		if len(items) == 0 {
			return Parsed{}, false
		}
		first, _ := items[0].(map[string]any)
		switch {
		case has(first, "function"):
			return openaiList(s, tools), true
		case has(first, "name") && (has(first, "arguments") || has(first, "parameters")):
			return bareJSON(s), true
		}
		return Parsed{}, false
	}
	m, _ := v.(map[string]any)
	switch {
	case has(m, "tool_calls"), has(m, "role") && !isList(m["content"]):
		return openai(s, tools), true
	case isList(m["content"]):
		return anthropic(s, tools), true
	case has(m, "tool"):
		return provenir(s, tools), true
	case has(m, "name") && (has(m, "parameters") || has(m, "arguments")):
		return llama3JSON(s, tools), true
	}
	return Parsed{}, false
}

func has(m map[string]any, key string) bool { _, ok := m[key]; return ok }

func isList(v any) bool { _, ok := v.([]any); return ok }

// startsCall is a name and an opening parenthesis.
func startsCall(s string) bool {
	name, _, ok := strings.Cut(strings.TrimSpace(s), "(")
	return ok && isName(strings.TrimSpace(name))
}
