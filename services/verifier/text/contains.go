package text

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const containsName = "contains"

// ContainsDescriptor describes contains.
func ContainsDescriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: containsName, Summary: "the response has all required texts and none of the forbidden ones",
		Options: []spec.Option{
			{Name: "required", Type: spec.Texts, Doc: "texts that must occur"},
			{Name: "forbidden", Type: spec.Texts, Doc: "texts that must not occur"},
			{Name: "reference", Type: spec.Flag, Doc: "the row's reference must occur too; this pays every answer that has it among others"},
			{Name: "word", Type: spec.Flag, Default: true, Doc: "a text counts only between word borders"},
			{Name: "case", Type: spec.Choice, Allowed: []string{"fold", "exact"}, Default: "fold", Doc: "whether upper and lower case are the same"},
			FieldsOption(),
		},
	}
}

type contains struct {
	required, forbidden []string // normalised
	word, fold          bool
	reference           bool
	fields              verdict.Fields
}

// NewContains makes a contains verifier. The error is a *spec.BadSpecError.
func NewContains(path string, v spec.Values) (verdict.Judge, error) {
	c := &contains{word: v.Flag("word"), reference: v.Flag("reference"), fold: v.String("case") == "fold", fields: FieldsOf(v)}
	for _, s := range v.Texts("required") {
		c.required = append(c.required, c.normal(s))
	}
	for _, s := range v.Texts("forbidden") {
		c.forbidden = append(c.forbidden, c.normal(s))
	}
	if len(c.required)+len(c.forbidden) == 0 && !c.reference {
		return nil, &spec.BadSpecError{Path: path, Field: "required, forbidden, reference", Value: "all absent", Allowed: "at least one text, or reference=true"}
	}
	return c, nil
}

func (c *contains) normal(s string) string {
	if !isASCII(s) {
		s = width.Fold.String(norm.NFC.String(s))
	}
	if c.fold {
		s = strings.Map(foldRune, s)
	}
	return s
}

// Judge pays hits / required, and nothing where a forbidden text occurs; it passes only with all of them.
func (c *contains) Judge(in *verdict.Candidate) verdict.Verdict {
	response, err := c.fields.Read(in)
	if err != nil {
		return verdict.Unscore(containsName, verdict.BadRow, err.Error())
	}
	required, err := c.wanted(in)
	if err != nil {
		return verdict.Unscore(containsName, verdict.BadReference, err.Error())
	}
	text := c.normal(response)
	for _, needle := range c.forbidden {
		if c.count(text, needle) > 0 {
			v := verdict.Fail(containsName, "forbidden_present")
			v.Extracted = verdict.Printable(needle)
			return v
		}
	}
	hits, stuffed := 0, 0
	var missing string
	var findings []verdict.Finding
	for _, needle := range required {
		n := c.count(text, needle)
		if n == 0 {
			if missing == "" {
				missing = needle
			}
			continue
		}
		hits++
		stuffed += n * max(1, len(strings.Fields(needle)))
		if negated(text, needle) {
			findings = append(findings, verdict.Finding{Kind: "negated", Severity: verdict.Info, Detail: fmt.Sprintf("%q stands behind a negation", needle)})
		}
	}
	if words := len(strings.Fields(text)); stuffed*10 > words*3 && stuffed > 2*len(required) {
		findings = append(findings, verdict.Finding{Kind: "stuffing", Severity: verdict.Warn,
			Detail: fmt.Sprintf("required texts are %d of %d words", stuffed, words)})
	}
	v := verdict.Pass(containsName, "present")
	if missing != "" {
		v = verdict.Score(containsName, verdict.Scored{Reward: float64(hits) / float64(len(required)), Reason: "missing"}, verdict.Range{})
		v.Extracted = verdict.Printable(missing)
	}
	v.Findings = findings
	return v
}

// wanted are the texts that must occur in this row's response.
func (c *contains) wanted(in *verdict.Candidate) ([]string, error) {
	if !c.reference {
		return c.required, nil
	}
	golds, err := c.fields.References(in.Row)
	if err != nil {
		return nil, err
	}
	out := append([]string(nil), c.required...)
	for _, g := range golds {
		if strings.TrimSpace(g) == "" {
			return nil, errors.New("the reference is empty: every response contains it")
		}
		out = append(out, c.normal(g))
	}
	return out, nil
}

// count counts occurrences that do not overlap.
func (c *contains) count(text, needle string) int {
	n := 0
	for from := 0; ; {
		i := strings.Index(text[from:], needle)
		if i < 0 {
			return n
		}
		at := from + i
		if !c.word || (border(text, at, needle, true) && border(text, at+len(needle), needle, false)) {
			n++
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		from = at + size
	}
}

// border says whether the needle ends at a word border on that side. A needle that ends in punctuation needs none:
// "C++" is found in "C++11".
func border(text string, at int, needle string, left bool) bool {
	if left {
		edge, _ := utf8.DecodeRuneInString(needle)
		r, size := utf8.DecodeLastRuneInString(text[:at])
		return size == 0 || !isWord(edge) || !isWord(r)
	}
	edge, _ := utf8.DecodeLastRuneInString(needle)
	r, size := utf8.DecodeRuneInString(text[at:])
	return size == 0 || !isWord(edge) || !isWord(r)
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

var negations = map[string]bool{"not": true, "no": true, "never": true, "without": true, "n't": true, "isn't": true, "doesn't": true, "don't": true, "cannot": true, "can't": true}

// negated looks at the three words before the first occurrence.
func negated(text, needle string) bool {
	i := strings.Index(text, needle)
	before := strings.Fields(text[max(0, i-64):max(0, i)])
	for _, w := range before[max(0, len(before)-3):] {
		if negations[strings.Trim(strings.ToLower(w), ".,;:!?\"'")] {
			return true
		}
	}
	return false
}
