package hack

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

type language uint8

const (
	python language = iota + 1
	shellScript
)

// piece is code that the policy wrote, with the place of its text.
type piece struct {
	lang   language
	src    string
	field  string // the whole text that src is a part of
	offset int    // of src in field; -1 where src is a decoded copy
	where  string
	path   string // of the file it was written to
}

// collect finds what is code: fenced blocks, payloads of tools, written files, or a response that is nothing else. Prose that
// names a function is no code, and reasoning is run by nobody.
func (in *Inspector) collect(response string) {
	in.pieces = in.pieces[:0]
	in.answer(response, "response")
	in.out.Length = len(response)
	for i := range in.row.Messages {
		m := &in.row.Messages[i]
		if m.Role != "assistant" {
			continue
		}
		in.out.Length += len(m.Content)
		in.answer(m.Content, fmt.Sprintf("messages[%d].content", i))
		for j := range m.Calls {
			in.call(&m.Calls[j], fmt.Sprintf("messages[%d].tool_calls[%d].arguments", i, j))
		}
	}
	for i := range in.row.Files {
		f := &in.row.Files[i]
		in.file(f.Path, f.Content, f.Content, 0, fmt.Sprintf("files[%d].content", i))
	}
}

// reasoned gives where the answer begins behind reasoning that is kept in the text.
func reasoned(text string) int {
	if !strings.Contains(text, "<think") && !strings.Contains(text, "</think") && !strings.Contains(text, "</reasoning>") {
		return 0
	}
	for _, end := range [...]string{"</think>", "</thinking>", "</reasoning>"} {
		if i := strings.LastIndex(text, end); i >= 0 {
			return i + len(end)
		}
	}
	if t := strings.TrimLeft(text, " \n"); strings.HasPrefix(t, "<think>") || strings.HasPrefix(t, "<thinking>") {
		return len(text) // it never ends: nothing was answered
	}
	return 0
}

func (in *Inspector) answer(text, where string) {
	from := reasoned(text)
	if !in.fences(text, from, where) && in.program(text[from:]) {
		in.pieces = append(in.pieces, piece{lang: python, src: text[from:], field: text, offset: from, where: where})
	}
}

// program says whether a text is Python and nothing else: 90 % of its lines can be read, and one of them is what prose is not.
func (in *Inspector) program(text string) bool {
	if !strings.ContainsAny(text, "=(@") && !strings.Contains(text, "import ") && !strings.Contains(text, "raise ") {
		return false
	}
	m := in.parser.Parse(text)
	return m.Strong > 0 && 10*m.Good >= 9*(m.Good+m.Bad)
}

// fences takes the fenced blocks behind from and says whether there were any.
func (in *Inspector) fences(text string, from int, where string) bool {
	any := false
	at, open := from, ""
	var tag string
	body := 0
	for at < len(text) {
		n := strings.IndexByte(text[at:], '\n')
		next := len(text)
		line := text[at:]
		if n >= 0 {
			line, next = text[at:at+n], at+n+1
		}
		if t := strings.TrimLeft(line, " \t"); strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~") {
			run := t[:len(t)-len(strings.TrimLeft(t, t[:1]))]
			rest := strings.TrimSpace(t[len(run):])
			switch {
			case open == "" && !strings.Contains(rest, "`"):
				open, body, any = run, next, true
				tag, _, _ = strings.Cut(strings.ToLower(strings.Trim(rest, "{}. ")), " ")
			case open != "" && run[0] == open[0] && len(run) >= len(open) && rest == "":
				in.fenced(tag, text, body, at, where)
				open = ""
			}
		}
		at = next
	}
	if open != "" {
		in.fenced(tag, text, body, len(text), where)
	}
	return any
}

func (in *Inspector) fenced(tag, text string, from, to int, where string) {
	p := piece{src: text[from:to], field: text, offset: from, where: where}
	switch tag {
	case "python", "py", "python3", "pycon", "ipython":
		p.lang = python
	case "bash", "sh", "shell", "zsh", "console":
		p.lang = shellScript
	case "":
		if !in.program(p.src) {
			return
		}
		p.lang = python
	case "text", "txt", "json", "yaml", "markdown", "md", "output", "csv", "latex", "math", "plaintext", "none", "xml", "toml", "ini", "log", "tool_call":
		return // no program
	default:
		in.unchecked("language: " + clip(tag))
		return
	}
	in.pieces = append(in.pieces, p)
}

// file takes a written file.
func (in *Inspector) file(name, src, field string, offset int, where string) {
	p := piece{src: src, field: field, offset: offset, where: where, path: name}
	in.writes(&p)
	switch ext := path.Ext(name); ext {
	case ".py", ".pyi", ".pth":
		p.lang = python
	case ".sh", ".bash":
		p.lang = shellScript
	case ".js", ".ts", ".go", ".rs", ".c", ".cc", ".cpp", ".java", ".rb", ".php", ".pl", ".lua", ".jl", ".r", ".cs", ".swift", ".kt", ".ipynb":
		in.unchecked("language: " + ext[1:])
		return
	default:
		return
	}
	in.pieces = append(in.pieces, p)
}

// call takes the payloads of a tool call.
func (in *Inspector) call(c *ToolCall, where string) {
	name := strings.ToLower(c.Name)
	var args map[string]any
	if json.Unmarshal([]byte(c.Arguments), &args) != nil {
		if c.Arguments != "" {
			in.payload(name, "", c.Arguments, c.Arguments, 0, where)
		}
		return
	}
	file := first(args, "path", "file_path", "filename", "file", "target_file")
	for _, key := range [...]string{"command", "cmd", "code", "script", "source", "content", "file_text", "contents", "new_str", "new_string", "input", "python", "bash", "patch"} {
		switch v := args[key].(type) {
		case string:
			offset := strings.Index(c.Arguments, v) // -1 where it was written with escapes
			if file != "" && key != "command" && key != "cmd" {
				in.file(file, v, c.Arguments, offset, where)
			} else if key == "patch" {
				in.unchecked("language: diff")
			} else {
				in.payload(name, key, v, c.Arguments, offset, where)
			}
		case []any: // ["bash", "-lc", "…"]
			words := make([]string, 0, len(v))
			for _, w := range v {
				s, _ := w.(string)
				words = append(words, s)
			}
			text := strings.Join(words, " ")
			if len(words) == 3 && strings.HasSuffix(words[1], "c") {
				text = words[2]
			}
			in.payload("bash", key, text, c.Arguments, strings.Index(c.Arguments, text), where)
		}
	}
}

func (in *Inspector) payload(tool, key, src, field string, offset int, where string) {
	p := piece{lang: shellScript, src: src, field: field, offset: offset, where: where}
	switch {
	case strings.Contains(tool, "python") || strings.Contains(tool, "jupyter") || key == "python":
		p.lang = python
	case strings.Contains(tool, "bash") || strings.Contains(tool, "shell") || strings.Contains(tool, "terminal") || key == "command" || key == "cmd" || key == "bash":
	case in.program(src):
		p.lang = python
	default:
		return
	}
	in.pieces = append(in.pieces, p)
}

func first(args map[string]any, keys ...string) string {
	for _, k := range keys {
		if s, ok := args[k].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
