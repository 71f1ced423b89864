package toolcall

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/internal/strictjson"
)

// openai is a message of the Chat Completions API.
func openai(text string, _ Tools) Parsed {
	const format = "openai"
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "{") {
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	}
	raw, err := whole(s)
	if err != nil {
		return malformed(format, err.Error())
	}
	members, err := strictjson.Object(raw, limits)
	if err != nil {
		return malformed(format, err.Error())
	}
	var calls []Call
	prose := false
	for _, m := range members {
		switch m.Key {
		case "tool_calls":
			if string(m.Value) == "null" || string(m.Value) == "[]" {
				continue
			}
			if calls, err = list(m.Value, openaiCall); err != nil {
				return malformed(format, err.Error())
			}
		case "content":
			var content string
			prose = json.Unmarshal(m.Value, &content) == nil && strings.TrimSpace(content) != ""
		}
	}
	return found(format, calls, prose, nil)
}

// openaiList is the array under tool_calls.
func openaiList(text string, _ Tools) Parsed {
	const format = "openai_list"
	s := strings.TrimSpace(text)
	switch {
	case !strings.HasPrefix(s, "["):
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	case s == "[]":
		return Parsed{Outcome: None, Format: format}
	}
	raw, err := whole(s)
	if err != nil {
		return malformed(format, err.Error())
	}
	calls, err := list(raw, openaiCall)
	return found(format, calls, false, err)
}

func openaiCall(raw []byte) (Call, error) {
	var id string
	var function []byte
	members, err := strictjson.Object(raw, limits)
	if err != nil {
		return Call{}, err
	}
	for _, m := range members {
		switch m.Key {
		case "id":
			_ = json.Unmarshal(m.Value, &id) // null stands for none
		case "type":
			if string(m.Value) != `"function"` {
				return Call{}, fmt.Errorf("a call of type %s", m.Value)
			}
		case "function":
			function = m.Value
		}
	}
	if function == nil {
		return Call{}, errors.New("a call without function")
	}
	if members, err = strictjson.Object(function, limits); err != nil {
		return Call{}, err
	}
	c := Call{ID: id}
	for _, m := range members {
		switch m.Key {
		case "name":
			_ = json.Unmarshal(m.Value, &c.Name) // an empty name is refused below
		case "arguments":
			var text string
			if json.Unmarshal(m.Value, &text) != nil {
				return Call{}, errors.New("the arguments are not JSON text")
			}
			inner, err := whole(text)
			if err != nil {
				return Call{}, err
			}
			if c.Arguments, err = object(inner); err != nil {
				return Call{}, err
			}
		}
	}
	if c.Name == "" || c.Arguments == nil {
		return Call{}, errors.New("a function without name or arguments")
	}
	return c, nil
}

// anthropic is a message of the Messages API: blocks of text and tool_use.
func anthropic(text string, _ Tools) Parsed {
	const format = "anthropic"
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "{") {
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	}
	raw, err := whole(s)
	if err != nil {
		return malformed(format, err.Error())
	}
	members, err := strictjson.Object(raw, limits)
	if err != nil {
		return malformed(format, err.Error())
	}
	var calls []Call
	prose := false
	for _, m := range members {
		if m.Key != "content" || len(m.Value) == 0 || m.Value[0] != '[' {
			continue
		}
		blocks, err := strictjson.Array(m.Value, limits)
		if err != nil {
			return malformed(format, err.Error())
		}
		for _, b := range blocks {
			var kind struct{ Type, Text string }
			if err := json.Unmarshal(b, &kind); err != nil {
				return malformed(format, err.Error())
			}
			if kind.Type != "tool_use" {
				prose = prose || strings.TrimSpace(kind.Text) != ""
				continue
			}
			c, err := named(b, "name", "input")
			if err != nil {
				return malformed(format, err.Error())
			}
			calls = append(calls, c)
		}
	}
	return found(format, calls, prose, nil)
}

// llama3JSON is {"name", "parameters"}, several joined by semicolons.
func llama3JSON(text string, _ Tools) Parsed {
	const format = "llama3_json"
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "{") {
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	}
	calls, err := joined(s)
	return found(format, calls, false, err)
}

func joined(s string) ([]Call, error) {
	var calls []Call
	for {
		raw, rest, err := take(s)
		if err != nil {
			return nil, err
		}
		c, err := named(raw, "name", "parameters", "arguments")
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
		if rest = strings.TrimSpace(rest); rest == "" {
			return calls, nil
		}
		if !strings.HasPrefix(rest, ";") {
			return nil, errors.New("text behind the call")
		}
		if s = strings.TrimSpace(rest[1:]); s == "" {
			return calls, nil
		}
	}
}

// bareJSON is a list of {"name", "arguments"} without any mark.
func bareJSON(text string) Parsed {
	raw, err := whole(strings.TrimSpace(text))
	if err != nil {
		return malformed("auto", err.Error())
	}
	calls, err := list(raw, func(b []byte) (Call, error) { return named(b, "name", "arguments", "parameters") })
	return found("auto", calls, false, err)
}

// provenir is {"tool", "args"}, the one of our own environments.
func provenir(text string, _ Tools) Parsed {
	const format = "provenir"
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "{") {
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	}
	raw, err := whole(s)
	if err != nil {
		return malformed(format, err.Error())
	}
	c, err := named(raw, "tool", "args")
	return found(format, []Call{c}, false, err)
}

// fencedJSON is one fenced block with a call or an array of calls.
func fencedJSON(text string, _ Tools) Parsed {
	const format = "fenced_json"
	before, rest, ok := strings.Cut(text, "```")
	if !ok {
		return Parsed{Outcome: None, Format: format, Prose: strings.TrimSpace(text) != ""}
	}
	language, body, ok := strings.Cut(rest, "\n")
	language = strings.TrimSpace(language)
	if !ok || language != "" && language != "json" && language != "tool_call" && language != "tool_code" {
		return Parsed{Outcome: None, Format: format, Prose: true}
	}
	body = strings.TrimSpace(body)
	if body == "" || body[0] != '{' && body[0] != '[' {
		return Parsed{Outcome: None, Format: format, Prose: true}
	}
	raw, behind, err := take(body)
	if err != nil {
		if strings.Contains(body, `"name"`) || strings.Contains(body, `"arguments"`) {
			return malformed(format, err.Error())
		}
		return Parsed{Outcome: None, Format: format, Prose: true}
	}
	if v, err := value(raw); err == nil && !holdsName(v) {
		return Parsed{Outcome: None, Format: format, Prose: true} // JSON that is an answer, not a call
	}
	behind, ok = strings.CutPrefix(strings.TrimSpace(behind), "```")
	if !ok {
		return malformed(format, "the block does not end behind the call")
	}
	if strings.Contains(behind, "```") {
		return malformed(format, "a second block")
	}
	calls, err := list(raw, nameAndArguments)
	return found(format, calls, strings.TrimSpace(before+behind) != "", err)
}

func holdsName(v any) bool {
	if items, ok := v.([]any); ok && len(items) > 0 {
		v = items[0]
	}
	m, _ := v.(map[string]any)
	return has(m, "name") || has(m, "arguments")
}
