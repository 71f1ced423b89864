// Package shell reads command lines far enough to see which program is run on which files.
//
// It knows words, quotes, redirects, pipes, lists, here-documents and cd. It expands nothing: a variable stays as it was
// written. What it cannot read is left out; it never refuses. Time is linear in the source.
package shell

import (
	"path"
	"strings"
)

// Redirect is output or input that goes to a file.
type Redirect struct {
	Op     string // >, >>, <, &>, >|
	Target string
}

// Command is one program with its words.
type Command struct {
	Words      []string
	Redirects  []Redirect
	Here       string // here-document
	Dir        string // where cd went before, "" where it did not
	Background bool
	Piped      bool // its input is the output of the one before
	Start, End int  // bytes of the source
}

// Name is the program without its folder, or nothing.
func (c *Command) Name() string {
	if len(c.Words) == 0 {
		return ""
	}
	return path.Base(c.Words[0])
}

// File gives a path as it is meant, behind cd.
func (c *Command) File(name string) string {
	if c.Dir == "" || path.IsAbs(name) {
		return name
	}
	return path.Join(c.Dir, name)
}

type here struct {
	at    int // index of the command
	delim string
	tabs  bool
}

type reader struct {
	src   string
	at    int
	out   []Command
	cur   Command
	dir   string
	heres []here
	begun bool
}

// Parse reads a script.
func Parse(src string) []Command {
	r := &reader{src: src}
	for r.at < len(src) {
		r.step()
	}
	r.finish(len(src))
	return r.out
}

func (r *reader) step() {
	c := r.src[r.at]
	switch {
	case c == ' ' || c == '\t' || c == '\r':
		r.at++
	case c == '\\' && strings.HasPrefix(r.src[r.at:], "\\\n"):
		r.at += 2
	case c == '#':
		if n := strings.IndexByte(r.src[r.at:], '\n'); n >= 0 {
			r.at += n
			return
		}
		r.at = len(r.src)
	case c == '\n':
		r.finish(r.at)
		r.at++
		r.documents()
	case c == ';' || c == '(' || c == ')':
		r.finish(r.at)
		r.at++
	case c == '&':
		r.ampersand()
	case c == '|':
		r.finish(r.at)
		r.at++
		piped := true
		if strings.HasPrefix(r.src[r.at:], "|") {
			r.at++
			piped = false
		}
		r.cur.Piped = piped
	case c == '<' || c == '>':
		r.redirect("")
	default:
		r.start()
		w := r.word()
		if r.at < len(r.src) && (r.src[r.at] == '>' || r.src[r.at] == '<') && (w == "1" || w == "2" || w == "0") {
			r.redirect(w)
			return
		}
		r.cur.Words = append(r.cur.Words, w)
	}
}

func (r *reader) start() {
	if !r.begun {
		r.begun, r.cur.Start = true, r.at
	}
}

func (r *reader) ampersand() {
	switch rest := r.src[r.at:]; {
	case strings.HasPrefix(rest, "&&"):
		r.finish(r.at)
		r.at += 2
	case strings.HasPrefix(rest, "&>"):
		r.at++
		r.redirect("&")
	default:
		r.cur.Background = true
		r.finish(r.at)
		r.at++
	}
}

// finish ends a command. Assignments and words that only start another program are taken off.
func (r *reader) finish(end int) {
	c := r.cur
	r.cur = Command{}
	if !r.begun {
		return
	}
	r.begun = false
	c.Words = program(c.Words)
	c.Dir, c.End = r.dir, end
	if c.Name() == "cd" && len(c.Words) > 1 {
		r.dir = c.File(c.Words[1])
	}
	r.out = append(r.out, c)
	for i := range r.heres {
		if r.heres[i].at < 0 {
			r.heres[i].at = len(r.out) - 1
		}
	}
}

func program(words []string) []string {
	for len(words) > 1 {
		w := words[0]
		eq := strings.IndexByte(w, '=')
		switch {
		case eq > 0 && !strings.ContainsAny(w[:eq], "/-."):
		case w == "sudo" || w == "env" || w == "command" || w == "exec" || w == "time" || w == "then" || w == "do" || w == "else" || w == "{" || w == "if" || w == "while" || w == "!" || w == "$":
		default:
			return words
		}
		words = words[1:]
	}
	return words
}

func (r *reader) redirect(fd string) {
	r.start()
	rest := r.src[r.at:]
	op := rest[:1]
	for _, o := range [...]string{"<<<", "<<-", "<<", ">>", ">|", ">&", "<&"} {
		if strings.HasPrefix(rest, o) {
			op = o
			break
		}
	}
	r.at += len(op)
	for r.at < len(r.src) && (r.src[r.at] == ' ' || r.src[r.at] == '\t') {
		r.at++
	}
	if r.at >= len(r.src) || r.src[r.at] == '\n' || r.src[r.at] == '<' || r.src[r.at] == '>' {
		return
	}
	target := r.word()
	switch op {
	case "<<", "<<-":
		r.heres = append(r.heres, here{at: -1, delim: target, tabs: op == "<<-"})
	case "<<<":
		r.cur.Here = target
	case ">&", "<&":
	default:
		if fd == "&" {
			op = "&" + op
		}
		r.cur.Redirects = append(r.cur.Redirects, Redirect{Op: op, Target: target})
	}
}

// documents reads the here-documents whose commands the line before held.
func (r *reader) documents() {
	for _, h := range r.heres {
		from := r.at
		end := len(r.src)
		for r.at < len(r.src) {
			line := r.src[r.at:]
			n := strings.IndexByte(line, '\n')
			if n >= 0 {
				line = line[:n]
			}
			at := r.at
			r.at = min(len(r.src), r.at+len(line)+1)
			if h.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			if strings.TrimRight(line, "\r") == h.delim {
				end = at
				break
			}
		}
		if h.at >= 0 {
			r.out[h.at].Here = r.src[from:end]
		}
	}
	r.heres = r.heres[:0]
}

// word reads up to what ends a word outside quotes.
func (r *reader) word() string {
	from, plain := r.at, true
	var b []byte
	keep := func(c byte) {
		if !plain {
			b = append(b, c)
		}
	}
	literal := func() {
		if plain {
			b, plain = append(b, r.src[from:r.at]...), false
		}
	}
	for r.at < len(r.src) {
		c := r.src[r.at]
		switch {
		case strings.IndexByte(" \t\r\n;&|<>()", c) >= 0:
			if c == '(' && r.at > from && r.src[r.at-1] == '$' {
				r.substitution(&b, plain)
				continue
			}
			if plain {
				return r.src[from:r.at]
			}
			return string(b)
		case c == '\\':
			literal()
			if r.at++; r.at < len(r.src) {
				if r.src[r.at] != '\n' {
					b = append(b, r.src[r.at])
				}
				r.at++
			}
		case c == '\'' || c == '"':
			literal()
			b = r.quoted(b, c)
		default:
			keep(c)
			r.at++
		}
	}
	if plain {
		return r.src[from:r.at]
	}
	return string(b)
}

func (r *reader) quoted(b []byte, quote byte) []byte {
	for r.at++; r.at < len(r.src); r.at++ {
		c := r.src[r.at]
		if c == quote {
			r.at++
			return b
		}
		if quote == '"' && c == '\\' && r.at+1 < len(r.src) && strings.IndexByte("\\\"$`\n", r.src[r.at+1]) >= 0 {
			r.at++
			c = r.src[r.at]
		}
		b = append(b, c)
	}
	return b
}

// substitution takes $( … ) as a part of the word.
func (r *reader) substitution(b *[]byte, plain bool) {
	depth := 0
	for r.at < len(r.src) {
		c := r.src[r.at]
		if !plain {
			*b = append(*b, c)
		}
		r.at++
		if c == '(' {
			depth++
		} else if c == ')' {
			if depth--; depth == 0 {
				return
			}
		}
	}
}
