package puzzle

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// RegexSynthName is the verifier's.
const RegexSynthName = "regex_synth"

// RegexSynthDescriptor describes regex_synth.
func RegexSynthDescriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: RegexSynthName, Summary: "an RE2 pattern that matches the row's accept strings as a whole and none of its reject strings, visible and hidden",
		Options: []spec.Option{text.FieldsOption()},
	}
}

type regexSynth struct{ fields verdict.Fields }

// NewRegexSynth makes a regex_synth verifier.
func NewRegexSynth(_ string, v spec.Values) (verdict.Judge, error) {
	return &regexSynth{text.FieldsOf(v)}, nil
}

// Judge compiles the pattern behind the anchor. A pattern longer than max_length is refused: the shortest one that lists
// all strings fits every row.
func (p *regexSynth) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := p.fields.Read(c)
	if err != nil {
		return verdict.Unscore(RegexSynthName, verdict.BadRow, err.Error())
	}
	lists := map[string][]string{}
	for _, key := range []string{"accept", "reject", "hidden_accept", "hidden_reject"} {
		raw, ok := c.Row.Get(key)
		var list []string
		if ok && json.Unmarshal(raw, &list) != nil || !ok && (key == "accept" || key == "reject") {
			return verdict.Unscore(RegexSynthName, verdict.BadRow, fmt.Sprintf("the row needs %s, a list of texts", key))
		}
		lists[key] = list
	}
	var longest int
	if raw, ok := c.Row.Get("max_length"); !ok || json.Unmarshal(raw, &longest) != nil || longest < 1 {
		return verdict.Unscore(RegexSynthName, verdict.BadRow, "the row needs max_length, at least 1")
	}
	pattern := behindAnchor(response)
	if pattern == "" {
		return verdict.Fail(RegexSynthName, "no_answer")
	}
	v := p.judge(pattern, longest, lists)
	v.Extracted = verdict.Printable(pattern)
	return v
}

func (p *regexSynth) judge(pattern string, longest int, lists map[string][]string) verdict.Verdict {
	if utf8.RuneCountInString(pattern) > longest {
		return verdict.Fail(RegexSynthName, "limit_exceeded")
	}
	if _, err := regexp.Compile(pattern); err != nil {
		v := verdict.Fail(RegexSynthName, "unparsable_answer")
		v.Note("not_read", verdict.Info, err.Error())
		return v
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return verdict.Fail(RegexSynthName, "unparsable_answer")
	}
	wrong := func(key string, want bool) bool {
		for _, s := range lists[key] {
			if re.MatchString(s) != want {
				return true
			}
		}
		return false
	}
	visible, hidden := wrong("accept", true) || wrong("reject", false), wrong("hidden_accept", true) || wrong("hidden_reject", false)
	switch {
	case visible:
		return verdict.Fail(RegexSynthName, "different")
	case hidden:
		v := verdict.Fail(RegexSynthName, "different")
		v.Note("special_cased", verdict.Warn, "the pattern fits the visible strings and not the hidden ones")
		return v
	}
	return verdict.Pass(RegexSynthName, "match")
}

// behindAnchor is the line behind the last ####. The anchors of texts end with the sentence, and a pattern has points.
func behindAnchor(response string) string {
	answer, _ := extract.Answer(response)
	i := strings.LastIndex(answer, "####")
	if i < 0 {
		return ""
	}
	line, _, _ := strings.Cut(answer[i+len("####"):], "\n")
	return strings.TrimSpace(line)
}
