package toolcall

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// render writes calls as a model of each format does: the other direction of the readers, for tests.
func render(t testing.TB, format string, calls []Call) string {
	t.Helper()
	each := func(sep string, one func(i int, c Call) string) string {
		parts := make([]string, len(calls))
		for i, c := range calls {
			parts[i] = one(i, c)
		}
		return strings.Join(parts, sep)
	}
	object := func(name, arguments string) func(int, Call) string {
		return func(_ int, c Call) string {
			return fmt.Sprintf(`{%q: %q, %q: %s}`, name, c.Name, arguments, jsonText(c.Arguments))
		}
	}
	list := func(name, arguments string) string { return "[" + each(", ", object(name, arguments)) + "]" }
	openAI := func(i int, c Call) string {
		text, _ := json.Marshal(jsonText(c.Arguments))
		return fmt.Sprintf(`{"id":"call_%d","type":"function","function":{"name":%q,"arguments":%s}}`, i, c.Name, text)
	}
	xml := func(_ int, c Call) string {
		var out strings.Builder
		fmt.Fprintf(&out, "<function=%s>\n", c.Name)
		for _, k := range sortedKeys(c.Arguments) {
			fmt.Fprintf(&out, "<parameter=%s>\n%s\n</parameter>\n", k, plain(c.Arguments[k]))
		}
		return out.String() + "</function>"
	}
	python := func(_ int, c Call) string {
		var parts []string
		for _, k := range sortedKeys(c.Arguments) {
			parts = append(parts, k+"="+pythonText(c.Arguments[k]))
		}
		return c.Name + "(" + strings.Join(parts, ", ") + ")"
	}
	switch format {
	case "openai":
		return `{"role":"assistant","content":null,"tool_calls":[` + each(",", openAI) + `]}`
	case "openai_list":
		return "[" + each(",", openAI) + "]"
	case "anthropic":
		return `{"content":[{"type":"text","text":"Let me look."},` + each(",", func(i int, c Call) string {
			return fmt.Sprintf(`{"type":"tool_use","id":"toolu_%d","name":%q,"input":%s}`, i, c.Name, jsonText(c.Arguments))
		}) + "]}"
	case "hermes":
		return each("\n", func(i int, c Call) string {
			return "<tool_call>\n" + object("name", "arguments")(i, c) + "\n</tool_call>"
		})
	case "llama3_json":
		return each("; ", object("name", "parameters"))
	case "llama3_python_tag":
		return "<|python_tag|>" + each("; ", object("name", "parameters")) + "<|eom_id|>"
	case "pythonic":
		return "[" + each(", ", python) + "]"
	case "llama4":
		return "<|python_start|>[" + each(", ", python) + "]<|python_end|>"
	case "mistral":
		return "[TOOL_CALLS]" + list("name", "arguments")
	case "mistral_v11":
		return each("", func(_ int, c Call) string { return "[TOOL_CALLS]" + c.Name + jsonText(c.Arguments) })
	case "mistral_v13":
		return each("", func(_ int, c Call) string { return "[TOOL_CALLS]" + c.Name + "[ARGS]" + jsonText(c.Arguments) })
	case "deepseek_v3":
		return dsCalls + each("\n", func(_ int, c Call) string {
			return dsCall + "function" + dsSep + c.Name + "\n```json\n" + jsonText(c.Arguments) + "\n```" + dsCallEnd
		}) + dsCallsEnd
	case "deepseek_v31":
		return dsCalls + each("", func(_ int, c Call) string { return dsCall + c.Name + dsSep + jsonText(c.Arguments) + dsCallEnd }) + dsCallsEnd
	case "kimi_k2":
		return "<|tool_calls_section_begin|>" + each("", func(i int, c Call) string {
			return fmt.Sprintf("<|tool_call_begin|>functions.%s:%d<|tool_call_argument_begin|>%s<|tool_call_end|>", c.Name, i, jsonText(c.Arguments))
		}) + "<|tool_calls_section_end|>"
	case "qwen3_coder":
		return each("\n", func(i int, c Call) string { return "<tool_call>\n" + xml(i, c) + "\n</tool_call>" })
	case "seed_oss":
		return each("\n", func(i int, c Call) string { return "<seed:tool_call>\n" + xml(i, c) + "\n</seed:tool_call>" })
	case "glm45":
		return each("\n", func(_ int, c Call) string {
			out := "<tool_call>" + c.Name + "\n"
			for _, k := range sortedKeys(c.Arguments) {
				out += "<arg_key>" + k + "</arg_key>\n<arg_value>" + plain(c.Arguments[k]) + "</arg_value>\n"
			}
			return out + "</tool_call>"
		})
	case "granite":
		return "<|tool_call|>" + list("name", "arguments")
	case "phi4":
		return "functools" + list("name", "arguments")
	case "jamba":
		return "<tool_calls>" + list("name", "arguments") + "</tool_calls>"
	case "harmony":
		return each("", func(_ int, c Call) string {
			return "<|start|>assistant<|channel|>commentary to=functions." + c.Name + " <|constrain|>json<|message|>" + jsonText(c.Arguments) + "<|call|>"
		})
	case "fenced_json":
		return "```json\n" + list("name", "arguments") + "\n```"
	case "provenir":
		return object("tool", "args")(0, calls[0])
	}
	t.Fatalf("no renderer of %s", format)
	return ""
}

// plain writes a value as formats without types do.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonText(v)
}

func pythonText(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case string:
		r := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`)
		return "'" + r.Replace(v) + "'"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = pythonText(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range sortedKeys(v) {
			parts = append(parts, pythonText(k)+": "+pythonText(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return jsonText(v)
}
