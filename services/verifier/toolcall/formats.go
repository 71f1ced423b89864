package toolcall

import (
	"slices"
	"strings"
)

// reader reads one format. tools are needed where a format does not say the types of its values.
type reader struct {
	name string
	read func(text string, tools Tools) Parsed
	own  []string // texts that only this format writes, closing ones too
}

// formats are all readers by name. Their order is that of the documentation.
func formats() []reader {
	return []reader{
		{"openai", openai, nil},
		{"openai_list", openaiList, nil},
		{"anthropic", anthropic, nil},
		{"hermes", hermes, nil}, // shares <tool_call> with two others; see detect
		{"llama3_json", llama3JSON, nil},
		{"llama3_python_tag", llama3PythonTag, []string{"<|python_tag|>"}},
		{"pythonic", pythonic, nil},
		{"llama4", llama4, []string{"<|python_start|>", "<|python_end|>"}},
		{"mistral", mistral, nil}, // three share [TOOL_CALLS]
		{"mistral_v11", mistralV11, nil},
		{"mistral_v13", mistralV13, nil},
		{"deepseek_v3", deepseekV3, nil}, // two share the frame
		{"deepseek_v31", deepseekV31, nil},
		{"kimi_k2", kimiK2, []string{"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>"}},
		{"qwen3_coder", qwen3Coder, nil},
		{"glm45", glm45, nil},
		{"granite", granite, []string{"<|tool_call|>"}},
		{"phi4", phi4, []string{"functools["}},
		{"jamba", jamba, []string{"<tool_calls>", "</tool_calls>"}},
		{"harmony", harmony, []string{"<|channel|>", "<|call|>"}},
		{"seed_oss", seedOSS, []string{"<seed:tool_call>", "</seed:tool_call>"}},
		{"fenced_json", fencedJSON, nil},
		{"provenir", provenir, nil},
	}
}

// aliases are the names that vLLM's tool parsers have.
var aliases = map[string]string{
	"qwen25": "hermes", "qwen3": "hermes", "qwen3_xml": "qwen3_coder", "llama4_pythonic": "llama4", "llama4_json": "llama3_json",
	"phi4_mini_json": "phi4", "olmo3": "pythonic", "deepseek_v30": "deepseek_v3", "glm46": "glm45", "gpt_oss": "harmony", "kimi": "kimi_k2",
}

// Formats are the names that a spec may give, without auto.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	for a := range aliases {
		names = append(names, a)
	}
	slices.Sort(names[len(formats()):])
	return names
}

// Parse reads a response. format is auto or one of Formats.
func Parse(text, format string, tools Tools) Parsed {
	if len(text) > maxText {
		return malformed(format, "the response is larger than 1 MiB")
	}
	text, open := answer(text)
	if open {
		return Parsed{Outcome: None, Format: format} // it never stopped thinking
	}
	if name, ok := aliases[format]; ok {
		format = name
	}
	seen := detect(text)
	if len(seen) > 1 {
		return malformed(format, "two formats in one text: "+strings.Join(seen, ", "))
	}
	if format == "auto" {
		if len(seen) == 0 {
			return byShape(text, tools)
		}
		format = seen[0]
	}
	for _, f := range formats() {
		if f.name != format {
			continue
		}
		p := f.read(text, tools)
		if p.Outcome == None && len(seen) == 1 && seen[0] != format {
			return malformed(format, "a call in the format "+seen[0])
		}
		return p
	}
	return malformed(format, "no such format")
}

// answer cuts the reasoning: calls in it were thought, not made. open tells that the reasoning never ends.
func answer(s string) (rest string, open bool) {
	for _, tag := range [][2]string{{"<think>", "</think>"}, {"[THINK]", "[/THINK]"}} {
		if i := strings.LastIndex(s, tag[1]); i >= 0 {
			s = s[i+len(tag[1]):]
		}
		if i := strings.Index(s, tag[0]); i >= 0 {
			if strings.TrimSpace(s[:i]) == "" {
				return "", true
			}
			s = s[:i]
		}
	}
	return s, false
}
