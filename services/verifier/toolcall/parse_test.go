package toolcall

import (
	"strings"
	"testing"
	"time"
)

const toolList = `[
 {"name":"get_weather","parameters":{"type":"dict","properties":{"city":{"type":"string"},"days":{"type":"integer"},"exact":{"type":"boolean"},
   "at":{"type":"array","items":{"type":"float"}},"more":{"type":"dict","properties":{"k":{"type":"string"}}},"code":{"type":"string"}},"required":["city"]}},
 {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}]`

func mustTools(t testing.TB) Tools {
	t.Helper()
	tools, err := ReadTools([]byte(toolList))
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

func arguments(t testing.TB, text string) map[string]any {
	t.Helper()
	m, err := object([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every format is read back as it was written, by its name and by auto, alone and behind reasoning.
func TestEachFormat(t *testing.T) {
	tools := mustTools(t)
	calls := []Call{
		{Name: "get_weather", Arguments: arguments(t, `{"city":"Zürich \"x\" <b> {}[]","days":12345678901234567890,"exact":true,"at":[1.5,-2],"more":{"k":"v"},"code":"a\nb"}`)},
		{Name: "now", Arguments: arguments(t, `{}`)},
	}
	for _, f := range formats() {
		want := calls
		if f.name == "provenir" {
			want = calls[:1]
		}
		text := render(t, f.name, want)
		for _, how := range []struct{ format, text string }{{f.name, text}, {"auto", text}, {"auto", "<think>I call get_weather</think>\n" + text}, {f.name, "\n" + text + "\n"}} {
			p := Parse(how.text, how.format, tools)
			if p.Outcome != Calls || len(p.Calls) != len(want) {
				t.Errorf("%s as %s: %+v of\n%s", f.name, how.format, p, how.text)
				continue
			}
			for i := range want {
				if p.Calls[i].Name != want[i].Name || !equal(p.Calls[i].Arguments, want[i].Arguments) {
					t.Errorf("%s as %s: call %d is %s, want %s", f.name, how.format, i, Describe(p.Calls[i:i+1]), Describe(want[i:i+1]))
				}
			}
		}
	}
}

// A call that was cut off, at any place behind its mark, is malformed or not there; it is never another call.
func TestEachFormatCutOff(t *testing.T) {
	tools := mustTools(t)
	calls := []Call{{Name: "get_weather", Arguments: arguments(t, `{"city":"Bern","days":3}`)}}
	for _, f := range formats() {
		text := render(t, f.name, calls)
		whole := Parse(text, f.name, tools)
		for n := range len(text) {
			p := Parse(text[:n], f.name, tools)
			if p.Outcome != Calls {
				continue
			}
			if len(p.Calls) != 1 || p.Calls[0].Name != whole.Calls[0].Name || !equal(p.Calls[0].Arguments, whole.Calls[0].Arguments) {
				t.Errorf("%s cut to %q: %+v", f.name, text[:n], p)
			}
		}
	}
}

func TestOutcomes(t *testing.T) {
	tools := mustTools(t)
	tests := []struct {
		name, format, text string
		want               Outcome
	}{
		{"empty", "auto", "", None},
		{"prose", "auto", "The capital is Bern.", None},
		{"prose with a bracket", "auto", "[1] says so", None},
		{"prose that names a function", "auto", "I would use get_weather(city='Bern').", None},
		{"JSON that is an answer", "auto", `{"answer": 3}`, None},
		{"a list that is an answer", "auto", `[1, 2]`, None},
		{"a fenced answer", "auto", "```json\n{\"a\":1}\n```", None},
		{"fenced Python", "auto", "```python\nget_weather()\n```", None},
		{"a call in reasoning only", "auto", `<think><tool_call>{"name":"now","arguments":{}}</tool_call></think>Done.`, None},
		{"reasoning that never ends", "auto", `<think><tool_call>{"name":"now","arguments":{}}</tool_call>`, None},
		{"empty tool_calls", "auto", `{"role":"assistant","content":"Hi","tool_calls":[]}`, None},
		{"a message", "openai", `{"role":"assistant","content":"Hi"}`, None},
		{"harmony's final", "auto", "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Bern", None},
		{"harmony, recipient in the role", "auto", "<|start|>assistant to=functions.now<|channel|>commentary json<|message|>{}<|call|>", Calls},
		{"harmony, stop token not sampled", "auto", "<|channel|>commentary to=functions.now<|message|>{}", Calls},
		{"tuples and None", "pythonic", `[get_weather(city="x", at=(1., .5), more={'k': 'v'}, exact=None,)]`, Calls},
		{"an open tag", "auto", `<tool_call>{"name":"now","arguments":{}}`, Malformed},
		{"a closing tag alone", "auto", `{"name":"now","arguments":{}}</tool_call>`, Malformed},
		{"truncated JSON", "auto", `<tool_call>{"name":"now","argum</tool_call>`, Malformed},
		{"truncated list", "auto", `[{"name":"now","arguments":{`, Malformed},
		{"truncated Python", "auto", `[now(`, Malformed},
		{"a key twice", "auto", `<tool_call>{"name":"now","arguments":{"a":1,"a":2}}</tool_call>`, Malformed},
		{"two names", "auto", `<tool_call>{"name":"now","name":"get_weather","arguments":{}}</tool_call>`, Malformed},
		{"NaN", "auto", `<tool_call>{"name":"now","arguments":{"a":NaN}}</tool_call>`, Malformed},
		{"arguments that are a list", "auto", `<tool_call>{"name":"now","arguments":[]}</tool_call>`, Malformed},
		{"arguments that are text", "auto", `<tool_call>{"name":"now","arguments":"{}"}</tool_call>`, Malformed},
		{"openai's arguments that are an object", "auto", `{"tool_calls":[{"type":"function","function":{"name":"now","arguments":{}}}]}`, Malformed},
		{"no arguments", "auto", `<tool_call>{"name":"now"}</tool_call>`, Malformed},
		{"an empty name", "auto", `<tool_call>{"name":"","arguments":{}}</tool_call>`, Malformed},
		{"by position", "auto", `[get_weather("Bern")]`, Malformed},
		{"nested calls", "auto", `[get_weather(city=now())]`, Malformed},
		{"an expression", "auto", `[get_weather(city="a" + "b")]`, Malformed},
		{"arithmetic", "auto", `[get_weather(days=1+1)]`, Malformed},
		{"a name as a value", "auto", `[get_weather(city=x)]`, Malformed},
		{"an argument twice", "auto", `[get_weather(city="a", city="b")]`, Malformed},
		{"a set", "auto", `[get_weather(at={1, 2})]`, Malformed},
		{"a parameter twice", "auto", "<tool_call><function=now><parameter=a>1</parameter><parameter=a>2</parameter></function></tool_call>", Malformed},
		{"a call in a call", "auto", `<tool_call>{"name":"now","arguments":{}}<tool_call>{}</tool_call></tool_call>`, Malformed},
		{"two formats", "auto", `<tool_call>{"name":"now","arguments":{}}</tool_call>[TOOL_CALLS][{"name":"now","arguments":{}}]`, Malformed},
		{"another format than asked for", "mistral", `<tool_call>{"name":"now","arguments":{}}</tool_call>`, Malformed},
		{"text in the list", "auto", dsCalls + "hm" + dsCall + "now" + dsSep + "{}" + dsCallEnd + dsCallsEnd, Malformed},
		{"a frame without calls", "auto", "<|tool_calls_section_begin|><|tool_calls_section_end|>", Malformed},
		{"text behind the JSON", "llama3_json", `{"name":"now","parameters":{}} and so on`, Malformed},
		{"two blocks", "auto", "```json\n{\"name\":\"now\",\"arguments\":{}}\n```\n```json\n{\"name\":\"now\",\"arguments\":{}}\n```", Malformed},
		{"too large", "auto", strings.Repeat("x", maxText+1), Malformed},
		{"too deep", "auto", "<tool_call>" + `{"name":"now","arguments":` + strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300) + "}</tool_call>", Malformed},
		{"too deep in Python", "auto", "[now(a=" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + ")]", Malformed},
		{"unknown format", "nobody", "x", Malformed},
		{"an alias", "qwen25", `<tool_call>{"name":"now","arguments":{}}</tool_call>`, Calls},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := Parse(tt.text, tt.format, tools); p.Outcome != tt.want {
				t.Errorf("%+v, want %s", p, tt.want)
			}
		})
	}
}

func TestValuesByTheSchema(t *testing.T) {
	tools := mustTools(t)
	read := func(key, text string, tools Tools) any {
		p := Parse("<tool_call><function=get_weather><parameter="+key+">\n"+text+"\n</parameter></function></tool_call>", "qwen3_coder", tools)
		if p.Outcome != Calls {
			t.Fatalf("%+v", p)
		}
		return p.Calls[0].Arguments[key]
	}
	tests := []struct {
		name, key, text string
		tools           Tools
		want            string // as JSON
	}{
		{"an integer", "days", "3", tools, `3`},
		{"text that looks like one", "city", "3", tools, `"3"`},
		{"a boolean", "exact", "True", tools, `true`},
		{"a list", "at", "[1, 2.5]", tools, `[1,2.5]`},
		{"an object", "more", `{"k":"v"}`, tools, `{"k":"v"}`},
		{"not of its type", "days", "three", tools, `"three"`},
		{"without a schema", "days", "3", nil, `"3"`},
		{"several lines", "code", "if x:\n  y", tools, `"if x:\n  y"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := jsonText(read(tt.key, tt.text, tt.tools)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	tools := mustTools(f)
	calls := []Call{{Name: "get_weather", Arguments: arguments(f, `{"city":"a","days":1}`)}}
	for _, format := range formats() {
		f.Add(render(f, format.name, calls), format.name)
		f.Add(render(f, format.name, calls), "auto")
	}
	f.Fuzz(func(t *testing.T, text, format string) {
		begin := time.Now()
		p := Parse(text, format, tools)
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("%s for %d bytes", took, len(text))
		}
		if (p.Outcome == Calls) != (len(p.Calls) > 0) || p.Outcome == Malformed && p.Reason == "" {
			t.Fatalf("%+v", p)
		}
		for _, c := range p.Calls {
			if c.Name == "" || c.Arguments == nil {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	tools := mustTools(b)
	text := render(b, "hermes", []Call{{Name: "get_weather", Arguments: arguments(b, `{"city":"Bern","days":3}`)}})
	for b.Loop() {
		if p := Parse(text, "auto", tools); p.Outcome != Calls {
			b.Fatal(p)
		}
	}
}
