package text

import (
	"fmt"
	"regexp"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const regexName = "regex"

// RegexDescriptor describes regex.
func RegexDescriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: regexName, Summary: "the response matches a pattern",
		Options: []spec.Option{
			{Name: "pattern", Type: spec.Text, Required: true, Doc: "in the syntax of the engine; the dot matches newlines too"},
			{Name: "mode", Type: spec.Choice, Allowed: []string{"full", "search"}, Default: "full", Doc: "the whole response, or a part of it"},
			{Name: "engine", Type: spec.Choice, Allowed: []string{"re2", "pcre"}, Default: "re2",
				Doc: "re2 runs in linear time; pcre has look-around and back references, backtracks, and gives up (unscored) after 50 ms"},
			FieldsOption(),
		},
	}
}

type regex struct {
	re     *regexp.Regexp
	full   bool
	fields verdict.Fields
}

// NewRegex compiles the pattern. The error is a *spec.PatternError or *spec.BadSpecError.
func NewRegex(path string, v spec.Values) (verdict.Judge, error) {
	pattern := v.String("pattern")
	if pattern == "" {
		return nil, &spec.BadSpecError{Path: path, Field: "pattern", Value: "empty", Allowed: "a pattern; the empty one matches everything"}
	}
	if v.String("engine") == "pcre" {
		return newPCRE(path, pattern, v.String("mode") == "full", FieldsOf(v))
	}
	// Compiled alone first: a pattern like a)(b would compile within the group below and mean something else.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, &spec.PatternError{Path: path, Pattern: pattern, Engine: "RE2", Err: err}
	}
	full := v.String("mode") == "full"
	source := "(?s:" + pattern + ")"
	if full {
		source = `\A` + source + `\z`
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, &spec.PatternError{Path: path, Pattern: pattern, Engine: "RE2", Err: err}
	}
	return &regex{re: re, full: full, fields: FieldsOf(v)}, nil
}

// Judge passes where the pattern matches; every verdict names the engine.
func (r *regex) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := r.fields.Read(c)
	if err != nil {
		return verdict.Unscore(regexName, verdict.BadRow, err.Error())
	}
	v := verdict.Fail(regexName, "no_match")
	if at := r.re.FindStringIndex(response); at != nil {
		v = verdict.Pass(regexName, "match")
		v.Extracted = verdict.Printable(response[at[0]:at[1]])
		if at[0] == at[1] {
			v.Note("empty_match", verdict.Warn, fmt.Sprintf("the pattern matches nothing at byte %d; it may match every response", at[0]))
		}
	}
	v.Note("engine", verdict.Info, "re2")
	return v
}
