package toolcall

import (
	"errors"
	"fmt"
	"strings"
)

// between walks over the parts of a text that stand between two marks. prose tells whether anything else was there.
func between(text, open, closing string, each func(inner string) error) (prose bool, err error) {
	for {
		before, rest, ok := strings.Cut(text, open)
		if strings.Contains(before, closing) {
			return prose, fmt.Errorf("%s without %s", closing, open)
		}
		prose = prose || strings.TrimSpace(before) != ""
		if !ok {
			return prose, nil
		}
		inner, after, ok := strings.Cut(rest, closing)
		if !ok {
			return prose, fmt.Errorf("%w: %s is missing", errTruncated, closing)
		}
		if strings.Contains(inner, open) {
			return prose, fmt.Errorf("%s inside %s", open, open)
		}
		if err := each(inner); err != nil {
			return prose, err
		}
		text = after
	}
}

// hermes is <tool_call>{"name", "arguments"}</tool_call>, repeated.
func hermes(text string, _ Tools) Parsed {
	var calls []Call
	prose, err := between(text, toolCall, toolCallEnd, func(inner string) error {
		raw, err := whole(inner)
		if err != nil {
			return err
		}
		c, err := nameAndArguments(raw)
		calls = append(calls, c)
		return err
	})
	return found("hermes", calls, prose, err)
}

// after reads an array of calls behind a mark, and nothing behind the array but what end allows.
func after(format, text, mark, end string, key ...string) Parsed {
	before, rest, ok := strings.Cut(text, mark)
	if !ok {
		return Parsed{Outcome: None, Format: format, Prose: strings.TrimSpace(text) != ""}
	}
	raw, behind, err := take(rest)
	if err != nil {
		return malformed(format, err.Error())
	}
	behind = strings.TrimSpace(behind)
	if end != "" {
		if behind, ok = strings.CutPrefix(behind, end); !ok {
			return malformed(format, end+" is missing")
		}
	}
	if strings.Contains(behind, mark) {
		return malformed(format, mark+" twice")
	}
	if len(key) == 0 {
		key = []string{"arguments"}
	}
	calls, err := list(raw, func(b []byte) (Call, error) { return named(b, "name", key...) })
	return found(format, calls, strings.TrimSpace(before+behind) != "", err)
}

func granite(text string, _ Tools) Parsed { return after("granite", text, "<|tool_call|>", "") }

func mistral(text string, _ Tools) Parsed { return after("mistral", text, mistralCalls, "") }

func jamba(text string, _ Tools) Parsed {
	if !strings.Contains(text, "<tool_calls>") && strings.Contains(text, "</tool_calls>") {
		return malformed("jamba", "</tool_calls> without <tool_calls>")
	}
	return after("jamba", text, "<tool_calls>", "</tool_calls>")
}

func phi4(text string, _ Tools) Parsed {
	if i := strings.Index(text, "functools["); i >= 0 {
		text = text[:i] + "functools" + " " + text[i+len("functools"):]
		return after("phi4", text, "functools ", "", "arguments", "parameters")
	}
	return Parsed{Outcome: None, Format: "phi4", Prose: strings.TrimSpace(text) != ""}
}

// llama3PythonTag is <|python_tag|> and then JSON, or name.call(a=1).
func llama3PythonTag(text string, _ Tools) Parsed {
	const format = "llama3_python_tag"
	before, rest, ok := strings.Cut(text, "<|python_tag|>")
	if !ok {
		return Parsed{Outcome: None, Format: format, Prose: strings.TrimSpace(text) != ""}
	}
	rest = strings.TrimSpace(rest)
	for _, end := range []string{"<|eom_id|>", "<|eot_id|>"} {
		rest = strings.TrimSpace(strings.TrimSuffix(rest, end))
	}
	prose := strings.TrimSpace(before) != ""
	if strings.HasPrefix(rest, "{") {
		calls, err := joined(rest)
		return found(format, calls, prose, err)
	}
	calls, err := pythonCalls(rest, false)
	for i := range calls {
		calls[i].Name = strings.TrimSuffix(calls[i].Name, ".call")
	}
	return found(format, calls, prose, err)
}

// llama4 is <|python_start|>[f(a=1)]<|python_end|>.
func llama4(text string, _ Tools) Parsed {
	var calls []Call
	prose, err := between(text, "<|python_start|>", "<|python_end|>", func(inner string) error {
		if calls != nil {
			return errors.New("a second list of calls")
		}
		var err error
		calls, err = pythonCalls(strings.TrimSpace(inner), true)
		return err
	})
	return found("llama4", calls, prose, err)
}

// mistralV11 is [TOOL_CALLS]f{"a":1}, repeated.
func mistralV11(text string, _ Tools) Parsed { return perCall("mistral_v11", text, "") }

// mistralV13 is [TOOL_CALLS]f[ARGS]{"a":1}, repeated, with an optional [CALL_ID]id before [ARGS].
func mistralV13(text string, _ Tools) Parsed { return perCall("mistral_v13", text, "[ARGS]") }

func perCall(format, text, separator string) Parsed {
	before, rest, ok := strings.Cut(text, mistralCalls)
	if !ok {
		return Parsed{Outcome: None, Format: format, Prose: strings.TrimSpace(text) != ""}
	}
	var calls []Call
	for {
		at := strings.IndexByte(rest, '{')
		if at < 0 {
			return malformed(format, errTruncated.Error())
		}
		head := strings.TrimSpace(rest[:at])
		if separator != "" {
			if head, ok = strings.CutSuffix(head, separator); !ok {
				return malformed(format, separator+" is missing")
			}
		}
		name, id, _ := strings.Cut(head, "[CALL_ID]")
		if name = strings.TrimSpace(name); !isName(name) {
			return malformed(format, "no name before the arguments")
		}
		raw, behind, err := take(rest[at:])
		if err != nil {
			return malformed(format, err.Error())
		}
		arguments, err := object(raw)
		if err != nil {
			return malformed(format, err.Error())
		}
		calls = append(calls, Call{Name: name, Arguments: arguments, ID: strings.TrimSpace(id)})
		behind = strings.TrimSpace(behind)
		if behind == "" || behind == "</s>" {
			return found(format, calls, strings.TrimSpace(before) != "", nil)
		}
		if rest, ok = strings.CutPrefix(behind, mistralCalls); !ok {
			return malformed(format, "text behind the call")
		}
	}
}
