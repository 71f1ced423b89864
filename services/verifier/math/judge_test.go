package math

import (
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

func TestProfiles(t *testing.T) {
	long := strings.Repeat("Some words of working. ", 20)
	tests := []struct {
		name     string
		options  map[string]any
		response string
		gold     string
		reason   string
		finding  string // one that must be there
	}{
		{"box", nil, `Thus \boxed{42}.`, "42", "equal", ""},
		{"last box", nil, `\boxed{41}, no, \boxed{42}`, "42", "equal", "multiple_answers"},
		{"the box before does not count", nil, `\boxed{42}, no, \boxed{41}`, "42", "different", "multiple_answers"},
		{"empty last box", nil, `\boxed{42} \boxed{}`, "42", "no_answer", ""},
		{"unterminated box", nil, `it is \boxed{42`, "42", "equal", "unterminated_box"},
		{"first 1 then 42", nil, "first 1 then 42", "42", "equal", "weak_extraction"},
		{"a hedge in a box", nil, `\boxed{3 4 3}`, "4", "unparsable_answer", ""},
		{"a hedge in a box, with a blank", nil, `It is \boxed{3 4 }.`, "4", "unparsable_answer", ""},
		{"a number behind a box that cannot be read", nil, `\boxed{3 4 3}, so it is 4`, "4", "equal", "weak_extraction"},
		{"no weak extraction", map[string]any{"weak": false}, "first 1 then 42", "42", "unparsable_answer", ""},
		{"anchor", nil, long + "\nThe answer is 42, because of that.", "42", "equal", ""},
		{"anchor with a formula", nil, long + `So the answer is $\frac{1}{2}$ of it.`, "0.5", "equal", ""},
		{"hashes", nil, long + "\n#### 1,234", "1234", "equal", ""},
		{"short answer with prose", nil, "$x = 5$ or $x = 7$", "5, 7", "equal", ""},
		{"delimited", nil, long + `and so $x^2$ it is.`, "x^2", "equal", ""},
		{"last line", nil, long + "\n\n7/2", "3.5", "equal", ""},
		{"thought does not count", nil, `<think>\boxed{42}</think> \boxed{41}`, "42", "different", ""},
		{"percent behind the box", nil, `\boxed{50}\%`, "0.5", "equal", ""},
		{"percent behind the box, by number", nil, `\boxed{50}\%`, "50", "equal", ""},
		{"nothing", nil, "", "42", "no_answer", ""},
		{"prose", nil, "I do not know.", "42", "no_answer", ""},
		{"words where words are asked", nil, long + "\nThe answer is Paris.", "Paris", "equal", ""},
		{"code", nil, `\boxed{__import__('os').getcwd()}`, "42", "code_shaped", ""},
		{"limit", nil, `\boxed{` + strings.Repeat("9", 20_000) + `}`, "42", "limit_exceeded", ""},
		{"kinds", nil, `\boxed{\{1,2\}}`, "42", "wrong_kind", ""},
		{"unit", nil, `\boxed{5}`, "5 km", "equal", "unit_missing"},
		{"comma", nil, `\boxed{3,14}`, "3.14", "equal", "decimal_comma"},
		{"undecided", nil, `\boxed{\int_0^1 x dx}`, "1/2", "undecided", ""},
		{"gold with working", nil, `\boxed{42}`, "6*7 = 42\n#### 42", "equal", ""},
		{"gold in a box", nil, `\boxed{42}`, `Therefore \boxed{42}.`, "equal", ""},

		{"final answer needs an anchor", map[string]any{"profile": "final_answer"}, "42", "42", "no_answer", ""},
		{"final answer", map[string]any{"profile": "final_answer"}, "7+5=12 #### 42", "42", "equal", ""},
		{"final answer in a box", map[string]any{"profile": "final_answer"}, `\boxed{42}`, "42", "equal", ""},
		{"box behind the anchor", map[string]any{"profile": "final_answer"}, `Final answer: \boxed{42}`, "42", "equal", ""},
		{"anchor behind the box", map[string]any{"profile": "final_answer"}, "\\boxed{41}\n#### 42", "42", "equal", ""},
		{"hedge", map[string]any{"profile": "final_answer"}, "#### 41 or 42", "42", "wrong_kind", ""},
		{"line", map[string]any{"profile": "final_answer"}, "words\nA: $18", "18", "equal", ""},

		{"neighbouring boxes", map[string]any{"profile": "group_boxed"}, `\boxed{1} and \boxed{2}`, "1,2", "equal", ""},
		{"hope", map[string]any{"profile": "group_boxed"}, `The final answer is $42$. I hope it is correct.`, "42", "equal", ""},
		{"boxes first", map[string]any{"profile": "group_boxed"}, `\boxed{42}. The final answer is 41`, "42", "equal", ""},
		{"boxes with the anchors", map[string]any{"profile": "group_boxed", "boxed_first": false}, `\boxed{41}. The final answer is 42`, "42", "equal", ""},
		{"no number out of failed math", map[string]any{"profile": "group_boxed"}, long + `$\frac{42}{$`, "42", "unparsable_answer", ""},

		{"latex only", map[string]any{"extract": "latex"}, "The answer is 42", "42", "no_answer", ""},
		{"expr only", map[string]any{"extract": "expr"}, "The answer is 42", "42", "equal", ""},
		{"choice", map[string]any{"extract": "string"}, "The answer is (C).", "C", "equal", ""},
		{"choice with its text", map[string]any{"extract": "string"}, "Answer: C) 42", "(C)", "equal", ""},
		{"choice in bold", map[string]any{"extract": "string"}, "Answer: **c**", "C", "equal", ""},
		{"choice in a box", map[string]any{"extract": "string+latex"}, `\boxed{\text{C}}`, "C", "equal", ""},
		{"other choice", map[string]any{"extract": "string"}, "Answer: B", "C", "different", ""},
		{"letter that is no choice", map[string]any{"extract": "string", "choices": "ABCD"}, "Answer: E", "D", "wrong_kind", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(t, tt.options).Judge(candidate(t, tt.response, tt.gold))
			s, ok := v.Scored()
			if !ok || s.Reason != tt.reason || s.Passed != (tt.reason == "equal") {
				u, _ := v.Unscored()
				t.Errorf("%s (%s %s), extracted %q; want %s", s.Reason, u.Reason, u.Detail, v.Extracted, tt.reason)
			}
			if tt.finding != "" && !v.Has(tt.finding) {
				t.Errorf("findings %+v lack %s", v.Findings, tt.finding)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	m := verifier(t, nil)
	row := func(json string) *verdict.Candidate {
		return &verdict.Candidate{Response: `\boxed{2}`, Row: verdict.Row{{Key: "references", JSON: []byte(json)}}}
	}
	if v := m.Judge(row(`["1","2"]`)); !v.Passed() || !v.Has("matched_reference") {
		t.Errorf("the second of two references: %+v", v)
	}
	if v := m.Judge(row(`["1","3"]`)); v.Passed() {
		t.Errorf("neither of two references: %+v", v)
	}
	for _, bad := range []string{`["1",""]`, `["1","\\frac{"]`, `[]`, `null`, `["the quick brown fox jumps over the lazy dog again"]`} {
		v := m.Judge(row(bad))
		if u, ok := v.Unscored(); !ok || u.Reason != verdict.BadReference {
			t.Errorf("references %s: %+v", bad, v)
		}
	}
}

func TestUndecidedMayBeUnscored(t *testing.T) {
	m := verifier(t, map[string]any{"undecided": "unscored"})
	v := m.Judge(candidate(t, `\boxed{\int_0^1 x dx}`, "1/2"))
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.Undecided {
		t.Errorf("%+v", v)
	}
}

// The ways in which a policy has tried to be paid for an answer that it does not have.
func TestAnswersThatMustNotPass(t *testing.T) {
	attempts := []string{
		"", "42 41", `\boxed{41}`, `\boxed{41, 42}`, `\boxed{41 \text{ or } 42}`, `\boxed{\{41,42\}}`, `\boxed{42} or \boxed{41}`, `\boxed{x}`, `\boxed{x=x}`, `\boxed{42=41}`,
		`\boxed{a+42=42}`, `\boxed{\pm 42}`, `\boxed{(41,43)}`, `\boxed{41 < x < 43}`, `\boxed{[42,42.5]}`, `\boxed{\text{forty-one}}`, `\boxed{42^{1.0000001}}`,
		`\boxed{42+10^{-50}}`, `\boxed{0/0}`, `\boxed{\frac{42}{0}}`, `\boxed{NaN}`, `\boxed{\infty}`, `\boxed{reference}`, `\boxed{answer}`, `\boxed{true}`, `\boxed{42!}`, `\boxed{42\%}`,
		`\boxed{\sum_{i=1}^{42} 1}`, `\boxed{42_{10}1}`, `\boxed{4 2}`, "\\boxed{4\u200b3}", `\boxed{\text{42 or 43}}`, `\boxed{42 \text{ is wrong}}`, `\boxed{\text{not }42}`, `\boxed{-42}`, `\boxed{42i}`, `\boxed{|x|=42}`,
	}
	for _, profile := range []string{"last_boxed", "group_boxed", "final_answer", "whole"} {
		m := verifier(t, map[string]any{"profile": profile})
		for _, a := range attempts {
			if v := m.Judge(candidate(t, a, "42")); v.Passed() && !(strings.HasPrefix(a, "42 41") || slices.Contains([]string{`\boxed{|x|=42}`}, a)) {
				t.Errorf("%s pays %q: %+v", profile, a, v)
			}
		}
	}
}
