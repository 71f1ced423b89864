package text

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const (
	maxPCREInput = 256 << 10             // bytes; the engine backtracks, so its time grows faster than the text
	pcreLimit    = 50 * time.Millisecond // of one match
	pcreStack    = 1 << 22               // entries of the backtracking stack
)

// checkOften makes the engine's clock tick each millisecond: with its own period a limit of 20 ms fires after 200.
var checkOften = sync.OnceFunc(func() { regexp2.SetTimeoutCheckPeriod(time.Millisecond) })

type pcre struct {
	re     *regexp2.Regexp
	fields verdict.Fields
}

// newPCRE compiles a pattern for the backtracking engine. The error is a *spec.PatternError.
func newPCRE(path, pattern string, full bool, fields verdict.Fields) (verdict.Judge, error) {
	checkOften()
	refuse := func(err error) (verdict.Judge, error) {
		return nil, &spec.PatternError{Path: path, Pattern: pattern, Engine: "PCRE", Err: err}
	}
	source, err := translate(pattern)
	if err != nil {
		return refuse(err)
	}
	// Compiled alone first: a pattern like a)(b would compile within the group below and mean something else.
	if _, err := regexp2.Compile(source); err != nil {
		return refuse(err)
	}
	source = "(?s:" + source + ")"
	if full {
		source = `\A` + source + `\z`
	}
	re, err := regexp2.Compile(source, regexp2.OptionMaxBacktrackingStackSize(pcreStack))
	if err != nil {
		return refuse(err)
	}
	re.MatchTimeout = pcreLimit
	return &pcre{re: re, fields: fields}, nil
}

// Judge passes where the pattern matches in time.
func (p *pcre) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := p.fields.Read(c)
	if err != nil {
		return verdict.Unscore(regexName, verdict.BadRow, err.Error())
	}
	v := verdict.Fail(regexName, "no_match")
	if len(response) > maxPCREInput {
		v.Note("limit_exceeded", verdict.Warn, fmt.Sprintf("%d bytes, engine pcre takes at most %d", len(response), maxPCREInput))
		v.Note("engine", verdict.Info, "pcre")
		return v
	}
	m, err := p.re.FindStringMatch(response)
	switch {
	case err != nil:
		v = verdict.Unscore(regexName, verdict.Deadline, fmt.Sprintf("the pattern took more than %s or too much memory; write it for engine=re2, which is linear", pcreLimit))
		v.Note("time_dependent", verdict.Info, "the time limit of the pattern passed")
	case m != nil:
		v = verdict.Pass(regexName, "match")
		v.Extracted = verdict.Printable(m.String())
		if m.String() == "" {
			v.Note("empty_match", verdict.Warn, "the pattern matches nothing; it may match every response")
		}
	}
	v.Note("engine", verdict.Info, "pcre")
	return v
}

var errPCRE = errors.New("engine pcre does not take it")

// translate writes a PCRE pattern as the engine wants it, and refuses what the engine would read as something else.
func translate(pattern string) (string, error) {
	var out strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		c, rest := pattern[i], pattern[i:]
		switch {
		case c == '\\':
			if len(rest) < 2 {
				return "", fmt.Errorf("%w: a backslash at the end", errPCRE)
			}
			switch rest[1] {
			case 'K':
				return "", fmt.Errorf("%w: \\K", errPCRE)
			case 'Z':
				if !class {
					out.WriteString(`\z`)
					i++
					continue
				}
			case 'Q', 'E', 'h', 'H', 'R', 'X', 'C', 'N':
				return "", fmt.Errorf("%w: \\%c means something else there", errPCRE, rest[1])
			}
			out.WriteString(rest[:2])
			i++
			continue
		case class:
			class = c != ']'
		case c == '[':
			class = true
			out.WriteByte(c)
			if strings.HasPrefix(rest, "[^]") || strings.HasPrefix(rest, "[]") { // the bracket is a member here
				n := strings.IndexByte(rest, ']')
				out.WriteString(rest[1:n] + `\]`)
				i += n
			}
			continue
		case strings.HasPrefix(rest, "(?P<"):
			out.WriteString("(?<")
			i += len("(?P<") - 1
			continue
		case strings.HasPrefix(rest, "(?P="):
			name, _, ok := strings.Cut(rest[len("(?P="):], ")")
			if !ok {
				return "", fmt.Errorf("%w: an open group", errPCRE)
			}
			out.WriteString(`\k<` + name + `>`)
			i += len("(?P=") + len(name)
			continue
		case recursion(rest):
			return "", fmt.Errorf("%w: recursion", errPCRE)
		case strings.HasPrefix(rest, "(*"), strings.HasPrefix(rest, "(?|"):
			return "", fmt.Errorf("%w: control verbs and branch reset groups", errPCRE)
		case c == '+' && i > 0 && possessive(pattern[:i]):
			return "", fmt.Errorf("%w: possessive quantifiers; write an atomic group (?>…)", errPCRE)
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

// recursion is (?R), (?1), (?+1), (?-1), (?&name) and (?P>name).
func recursion(s string) bool {
	if strings.HasPrefix(s, "(?P>") || strings.HasPrefix(s, "(?&") || strings.HasPrefix(s, "(?R)") {
		return true
	}
	if !strings.HasPrefix(s, "(?") || len(s) < 4 {
		return false
	}
	n := strings.TrimLeft(s[2:], "+-")
	digits := strings.TrimLeft(n, "0123456789")
	return len(digits) < len(n) && strings.HasPrefix(digits, ")")
}

// possessive says whether a + behind this text makes a quantifier possessive.
func possessive(before string) bool {
	last := before[len(before)-1]
	slashes := len(before) - 1 - len(strings.TrimRight(before[:len(before)-1], `\`))
	if slashes%2 == 1 { // an escaped character
		return false
	}
	if last == '}' {
		open := strings.LastIndexByte(before, '{')
		return open > 0 && strings.Trim(before[open+1:len(before)-1], "0123456789,") == "" && open+1 < len(before)-1
	}
	return last == '*' || last == '+' || last == '?' && !strings.HasSuffix(before, "(?")
}
