package toolcall

import (
	"errors"
	"fmt"
	"strings"
)

// deepseekV3 has the kind, the name, and the arguments in a fenced block.
func deepseekV3(text string, _ Tools) Parsed {
	return deepseek("deepseek_v3", text, func(inner string) (name, arguments string, err error) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(inner), "function"+dsSep)
		if !ok {
			return "", "", errors.New("a call that is no function")
		}
		name, rest, ok = strings.Cut(rest, "\n")
		body, fenced := strings.CutPrefix(strings.TrimSpace(rest), "```json")
		body, closed := strings.CutSuffix(strings.TrimSpace(body), "```")
		if !ok || !fenced || !closed {
			return "", "", errors.New("arguments that are not in a json block")
		}
		return name, body, nil
	})
}

// deepseekV31 has the name and the arguments.
func deepseekV31(text string, _ Tools) Parsed {
	return deepseek("deepseek_v31", text, func(inner string) (name, arguments string, err error) {
		name, arguments, ok := strings.Cut(inner, dsSep)
		if !ok {
			return "", "", errors.New(dsSep + " is missing")
		}
		return name, arguments, nil
	})
}

func deepseek(format, text string, split func(string) (name, arguments string, err error)) Parsed {
	var calls []Call
	frames := 0
	prose, err := between(text, dsCalls, dsCallsEnd, func(frame string) error {
		if frames++; frames > 1 {
			return errors.New("a second list of calls")
		}
		stray, err := between(frame, dsCall, dsCallEnd, func(inner string) error {
			name, arguments, err := split(inner)
			if err != nil {
				return err
			}
			c, err := nameAndText(name, arguments)
			calls = append(calls, c)
			return err
		})
		if err == nil && stray {
			err = errors.New("text between the calls")
		}
		if err == nil && len(calls) == 0 {
			err = errors.New("an empty list of calls")
		}
		return err
	})
	if err == nil && frames == 0 && strings.Contains(text, dsCall) {
		err = errors.New(dsCalls + " is missing")
	}
	return found(format, calls, prose, err)
}

func nameAndText(name, arguments string) (Call, error) {
	name = strings.TrimSpace(name)
	if !isName(name) {
		return Call{}, fmt.Errorf("%.40q is no name", name)
	}
	raw, err := whole(strings.TrimSpace(arguments))
	if err != nil {
		return Call{}, err
	}
	m, err := object(raw)
	return Call{Name: name, Arguments: m}, err
}

// kimiK2 names a call functions.f:0, which is its id.
func kimiK2(text string, _ Tools) Parsed {
	const format = "kimi_k2"
	var calls []Call
	frames := 0
	prose, err := between(text, "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", func(frame string) error {
		if frames++; frames > 1 {
			return errors.New("a second list of calls")
		}
		stray, err := between(frame, "<|tool_call_begin|>", "<|tool_call_end|>", func(inner string) error {
			id, arguments, ok := strings.Cut(inner, "<|tool_call_argument_begin|>")
			if !ok {
				return errors.New("<|tool_call_argument_begin|> is missing")
			}
			id = strings.TrimSpace(id)
			name, index, ok := cutLast(strings.TrimPrefix(id, "functions."), ":")
			if !ok || !digitsOnly(index) {
				return fmt.Errorf("%.40q is no id of a call", id)
			}
			c, err := nameAndText(name, arguments)
			c.ID = id
			calls = append(calls, c)
			return err
		})
		if err == nil && stray {
			err = errors.New("text between the calls")
		}
		if err == nil && len(calls) == 0 {
			err = errors.New("an empty list of calls")
		}
		return err
	})
	if err == nil && frames == 0 && strings.Contains(text, "<|tool_call_begin|>") {
		err = errors.New("<|tool_calls_section_begin|> is missing")
	}
	return found(format, calls, prose, err)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// harmony is the format of gpt-oss: messages with a channel, and a recipient where they are calls.
func harmony(text string, _ Tools) Parsed {
	const format = "harmony"
	var calls []Call
	prose := false
	parts := strings.Split(text, "<|channel|>")
	if len(parts) == 1 {
		if strings.Contains(text, "<|call|>") {
			return malformed(format, "<|channel|> is missing")
		}
		return Parsed{Outcome: None, Format: format, Prose: strings.TrimSpace(text) != ""}
	}
	for i, part := range parts[1:] {
		header, body, ok := strings.Cut(part, "<|message|>")
		if !ok {
			return malformed(format, "<|message|> is missing")
		}
		// The recipient may stand before the channel too: <|start|>assistant to=functions.f<|channel|>commentary
		_, role, _ := cutLast(parts[i], "<|start|>")
		to := recipient(header)
		if to == "" {
			to = recipient(role)
		}
		body, _, ended := strings.Cut(body, "<|call|>")
		if to == "" {
			if ended {
				return malformed(format, "a call to nobody")
			}
			prose = prose || strings.HasPrefix(strings.TrimSpace(header), "final")
			continue
		}
		for _, stop := range []string{"<|end|>", "<|return|>", "<|start|>"} {
			if strings.Contains(body, stop) {
				return malformed(format, "a call that "+stop+" ends")
			}
		}
		c, err := nameAndText(strings.TrimPrefix(to, "functions."), body)
		if err != nil {
			return malformed(format, err.Error())
		}
		calls = append(calls, c)
	}
	return found(format, calls, prose, nil)
}

// recipient is the word behind to= in a header.
func recipient(header string) string {
	_, rest, ok := strings.Cut(header, "to=")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, " \t\n<"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
