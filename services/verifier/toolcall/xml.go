package toolcall

import (
	"errors"
	"fmt"
	"strings"
)

// qwen3Coder is <tool_call><function=f><parameter=a>1</parameter></function></tool_call>; the outer pair may be missing.
func qwen3Coder(text string, tools Tools) Parsed {
	return functions("qwen3_coder", text, toolCall, toolCallEnd, tools)
}

// seedOSS is the same in another outer pair.
func seedOSS(text string, tools Tools) Parsed {
	return functions("seed_oss", text, "<seed:tool_call>", "</seed:tool_call>", tools)
}

func functions(format, text, open, closing string, tools Tools) Parsed {
	var calls []Call
	read := func(inner string) error {
		n := len(calls)
		stray, err := between(inner, "<function=", "</function>", func(body string) error {
			c, err := function(body, tools)
			calls = append(calls, c)
			return err
		})
		switch {
		case err != nil:
			return err
		case stray:
			return errors.New("text beside <function=…>")
		case len(calls) == n:
			return errors.New("a call without <function=…>")
		}
		return nil
	}
	if !strings.Contains(text, open) && !strings.Contains(text, closing) && strings.Contains(text, "<function=") {
		prose, err := between(text, "<function=", "</function>", func(body string) error {
			c, err := function(body, tools)
			calls = append(calls, c)
			return err
		})
		return found(format, calls, prose, err)
	}
	prose, err := between(text, open, closing, read)
	return found(format, calls, prose, err)
}

func function(body string, tools Tools) (Call, error) {
	name, rest, ok := strings.Cut(body, ">")
	if name = strings.TrimSpace(name); !ok || !isName(name) {
		return Call{}, errors.New("<function=…> without a name")
	}
	c := Call{Name: name, Arguments: map[string]any{}}
	stray, err := between(rest, "<parameter=", "</parameter>", func(p string) error {
		key, text, ok := strings.Cut(p, ">")
		if !ok || key == "" {
			return errors.New("<parameter=…> without a name")
		}
		text = strings.TrimSuffix(strings.TrimPrefix(text, "\n"), "\n")
		return c.set(key, text, tools)
	})
	if err == nil && stray {
		err = errors.New("text between the parameters")
	}
	return c, err
}

// set adds an argument that the format gives as text.
func (c *Call) set(key, text string, tools Tools) error {
	if _, twice := c.Arguments[key]; twice {
		return fmt.Errorf("the argument %q is there twice", key)
	}
	c.Arguments[key] = tools.typed(c.Name, key, text)
	return nil
}

// glm45 is <tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>.
func glm45(text string, tools Tools) Parsed {
	var calls []Call
	prose, err := between(text, toolCall, toolCallEnd, func(inner string) error {
		name, rest, _ := strings.Cut(inner, "<arg_key>")
		c := Call{Name: strings.TrimSpace(name), Arguments: map[string]any{}}
		if !isName(c.Name) {
			return fmt.Errorf("%.40q is no name", c.Name)
		}
		for more := rest != ""; more; {
			key, after, ok := strings.Cut(rest, "</arg_key>")
			if !ok {
				return errors.New("</arg_key> is missing")
			}
			if after, ok = strings.CutPrefix(strings.TrimSpace(after), "<arg_value>"); !ok {
				return errors.New("<arg_value> is missing")
			}
			text, after, ok := strings.Cut(after, "</arg_value>")
			if !ok {
				return errors.New("</arg_value> is missing")
			}
			if err := c.set(strings.TrimSpace(key), text, tools); err != nil {
				return err
			}
			after = strings.TrimSpace(after)
			if rest, more = strings.CutPrefix(after, "<arg_key>"); !more && after != "" {
				return errors.New("text between the arguments")
			}
		}
		calls = append(calls, c)
		return nil
	})
	return found("glm45", calls, prose, err)
}
