package code

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/provenir/provenir/services/verifier/text/extract"
)

// Extracted is a program as it was read out of a response.
type Extracted struct {
	Source       string
	Unterminated bool // its fence was never closed
}

// block is a fenced part of a response.
type block struct {
	tag    string
	body   string
	closed bool
}

// Extract reads the program: the last complete fenced block with a tag of the language (else without a tag) that defines the
// entry point, else the last; a fence that is never closed counts up to the end; without fences the whole text is the program.
func Extract(response, language, entry string) Extracted {
	text, _ := extract.Answer(response)
	blocks := fences(text)
	if len(blocks) == 0 {
		return Extracted{Source: text}
	}
	for _, want := range []func(block) bool{
		func(b block) bool { return b.closed && tagged(b.tag, language) && defines(b.body, entry) },
		func(b block) bool { return b.closed && b.tag == "" && defines(b.body, entry) },
		func(b block) bool { return b.closed && tagged(b.tag, language) },
		func(b block) bool { return b.closed && b.tag == "" },
		func(b block) bool { return !b.closed && (b.tag == "" || tagged(b.tag, language)) },
	} {
		for i := len(blocks) - 1; i >= 0; i-- {
			if want(blocks[i]) {
				return Extracted{blocks[i].body, !blocks[i].closed}
			}
		}
	}
	return Extracted{} // blocks of other languages alone: no code of this one
}

var tags = map[string][]string{
	"python": {"python", "py", "python3"}, "bash": {"bash", "sh", "shell"}, "c": {"c"}, "cpp": {"cpp", "c++", "cc", "cxx"}, "javascript": {"javascript", "js", "node"}, "go": {"go", "golang"}, "rust": {"rust", "rs"}, "java": {"java"},
}

func tagged(tag, language string) bool {
	for _, t := range tags[language] {
		if tag == t {
			return true
		}
	}
	return false
}

// defines says whether a block binds a name, by a definition or an assignment at the start of a line.
func defines(body, entry string) bool {
	if entry == "" || !utf8.ValidString(entry) {
		return false
	}
	return regexp.MustCompile(`(?m)^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+` + regexp.QuoteMeta(entry) + `\b|^` + regexp.QuoteMeta(entry) + `[ \t]*=`).MatchString(body)
}

// fences finds the blocks of a Markdown text: lines of three or more backticks or tildes, closed by at least as many.
func fences(text string) []block {
	var out []block
	var open string
	var indent int
	var body []string
	var tag string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimLeft(line, " \t")
		run := fenceRun(trimmed)
		switch {
		case open == "" && run != "":
			info := strings.TrimSpace(trimmed[len(run):])
			if strings.Contains(info, "`") {
				continue // inline code
			}
			open, indent, body = run, len(line)-len(trimmed), nil
			tag, _, _ = strings.Cut(strings.ToLower(strings.Trim(info, "{}. ")), " ")
		case open != "" && run != "" && run[0] == open[0] && len(run) >= len(open) && strings.TrimSpace(trimmed[len(run):]) == "":
			out = append(out, block{tag, strings.Join(body, "\n") + "\n", true})
			open = ""
		case open != "":
			body = append(body, unindent(line, indent))
		}
	}
	if open != "" {
		out = append(out, block{tag, strings.Join(body, "\n"), false})
	}
	return out
}

func fenceRun(line string) string {
	if line == "" || line[0] != '`' && line[0] != '~' {
		return ""
	}
	n := 0
	for n < len(line) && line[n] == line[0] {
		n++
	}
	if n < 3 {
		return ""
	}
	return line[:n]
}

// unindent takes off what the fence itself was indented by, as in a list.
func unindent(line string, n int) string {
	for i := 0; i < n && line != "" && (line[0] == ' ' || line[0] == '\t'); i++ {
		line = line[1:]
	}
	return line
}
