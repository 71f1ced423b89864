package puzzle

import (
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

func TestCountdown(t *testing.T) {
	j, err := NewCountdown(CountdownName, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.Row{{Key: "numbers", JSON: []byte(`[3,7,25,3]`)}, {Key: "target", JSON: []byte(`49`)}}
	tests := []struct{ name, response, reason string }{
		{"right", "3*7 = 21, then #### 3*7+25+3", "equal"},
		{"in a box", `\boxed{25+(3*7)+3}`, "equal"},
		{"blanks", "#### ( 3 * 7 ) + 25 + 3", "equal"},
		{"exact division", "#### 7*3/3*(25-25)", "wrong_numbers"},
		{"another value", "#### 3*7+25-3", "different"},
		{"a number twice", "#### 3*7+25+3+3-3", "wrong_numbers"},
		{"a number left out", "#### 25+7*3", "wrong_numbers"},
		{"the target", "#### 49", "wrong_numbers"},
		{"two digits joined", "#### 37+25/3", "wrong_numbers"},
		{"with its value", "#### 3*7+25+3 = 49", "unparsable_answer"},
		{"by zero", "#### 25/(3-3)+7", "unparsable_answer"},
		{"a power", "#### 7**2", "unparsable_answer"},
		{"a sign", "#### -3+7", "unparsable_answer"},
		{"a leading zero", "#### 03+7", "unparsable_answer"},
		{"open", "#### (3+7", "unparsable_answer"},
		{"code", "#### __import__('os')", "unparsable_answer"},
		{"deep", "#### " + strings.Repeat("(", 60) + "3" + strings.Repeat(")", 60), "unparsable_answer"},
		{"long", "#### " + strings.Repeat("3+", 300) + "3", "unparsable_answer"},
		{"no anchor", "3*7+25+3", "no_answer"},
		{"empty", "", "no_answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := j.Judge(&verdict.Candidate{Response: tt.response, Row: row})
			if s, ok := v.Scored(); !ok || s.Reason != tt.reason || s.Passed != (tt.reason == "equal") {
				t.Errorf("%+v, want %s", v, tt.reason)
			}
		})
	}
	for name, row := range map[string]verdict.Row{"absent": nil, "texts": {{Key: "numbers", JSON: []byte(`["3"]`)}, {Key: "target", JSON: []byte(`1`)}}, "no numbers": {{Key: "numbers", JSON: []byte(`[]`)}, {Key: "target", JSON: []byte(`1`)}}} {
		v := j.Judge(&verdict.Candidate{Response: "#### 1", Row: row})
		if u, ok := v.Unscored(); !ok || u.Reason != verdict.BadRow {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestRegexSynth(t *testing.T) {
	j, err := NewRegexSynth(RegexSynthName, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.Row{{Key: "accept", JSON: []byte(`["a1","bb2"]`)}, {Key: "reject", JSON: []byte(`["a","12"]`)},
		{Key: "hidden_accept", JSON: []byte(`["c3"]`)}, {Key: "hidden_reject", JSON: []byte(`["a12"]`)}, {Key: "max_length", JSON: []byte(`12`)}}
	tests := []struct {
		name, response, reason string
		special                bool
	}{
		{"right", "#### [a-z]+[0-9]", "match", false},
		{"fits what is visible", "#### a1|bb2", "different", true},
		{"too wide", "#### .*", "different", false},
		{"too long", "#### [a-z]+[0-9]{1}", "limit_exceeded", false},
		{"hidden ones differ, shorter", `#### [a-z]+\d+`, "different", true},
		{"not a pattern", "#### (", "unparsable_answer", false},
		{"a group that leaves its own", "#### a)|(b", "unparsable_answer", false},
		{"none", "I think so", "no_answer", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := j.Judge(&verdict.Candidate{Response: tt.response, Row: row})
			if s, ok := v.Scored(); !ok || s.Reason != tt.reason || v.Has("special_cased") != tt.special {
				t.Errorf("%+v, want %s", v, tt.reason)
			}
		})
	}
	if v := j.Judge(&verdict.Candidate{Response: "#### a", Row: row[:1]}); v.Passed() {
		t.Errorf("%+v", v)
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{"1+2*3", "(4-4)/4", "((((", "9/0", "1 + ", "0*5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, _, err := evaluate(s)
		if err == nil && v == nil {
			t.Fatal("neither a value nor an error")
		}
	})
}
