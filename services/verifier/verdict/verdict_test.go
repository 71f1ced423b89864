package verdict

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestScoreRefusesWhatContradicts(t *testing.T) {
	tests := []struct {
		name   string
		score  Scored
		rng    Range
		reason Reason // 0 for scored
	}{
		{"plain", Scored{Reward: 0.5, Passed: true}, Range{}, 0},
		{"zero and failed", Scored{}, Range{}, 0},
		{"NaN", Scored{Reward: math.NaN()}, Range{}, NonFinite},
		{"infinity", Scored{Reward: math.Inf(1)}, Range{}, NonFinite},
		{"above", Scored{Reward: 1.01}, Range{}, OutOfRange},
		{"below", Scored{Reward: -0.01}, Range{}, OutOfRange},
		{"below in a wider range", Scored{Reward: -0.01}, Range{-1, 1}, 0},
		{"passed without reward", Scored{Passed: true}, Range{}, OutOfRange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := Score("x", tt.score, tt.rng)
			s, scored := v.Scored()
			u, unscored := v.Unscored()
			if scored == unscored {
				t.Fatal("both or neither")
			}
			if tt.reason != 0 && u.Reason != tt.reason || tt.reason == 0 && s.Reward != tt.score.Reward {
				t.Errorf("got %v %v, want %v", s, u, tt.reason)
			}
		})
	}
}

func TestTheZeroVerdictIsNoReward(t *testing.T) {
	var v Verdict
	if u, ok := v.Unscored(); !ok || u.Reason != JudgeError || v.Passed() {
		t.Errorf("zero verdict: %v %v", u, ok)
	}
}

func TestReasons(t *testing.T) {
	for r := BadReference; r <= Cancelled; r++ {
		if strings.HasPrefix(r.String(), "reason(") {
			t.Errorf("%d has no name", r)
		}
	}
	retry := map[Reason]bool{Deadline: true, Overloaded: true, SandboxError: true, RemoteError: true, JudgeError: true}
	for r := BadReference; r <= Cancelled; r++ {
		if r.Retryable() != retry[r] {
			t.Errorf("%s retryable = %v", r, r.Retryable())
		}
	}
	if Reason(99).String() != "reason(99)" || Severity(9).String() != "severity(9)" {
		t.Error("unknown values must print their number")
	}
}

func TestReferences(t *testing.T) {
	row := func(kv ...string) Row {
		var r Row
		for i := 0; i < len(kv); i += 2 {
			r = append(r, Field{kv[i], []byte(kv[i+1])})
		}
		return r
	}
	tests := []struct {
		name   string
		fields Fields
		row    Row
		want   []string
		bad    bool
	}{
		{"string", Fields{}, row("reference", `"42"`), []string{"42"}, false},
		{"escaped", Fields{}, row("reference", `"\\frac{1}{2}"`), []string{`\frac{1}{2}`}, false},
		{"number keeps its digits", Fields{}, row("reference", `12345678901234567890123.10`), []string{"12345678901234567890123.10"}, false},
		{"several", Fields{}, row("references", `["1","2"]`), []string{"1", "2"}, false},
		{"list under reference", Fields{}, row("reference", `["1",2]`), []string{"1", "2"}, false},
		{"references win", Fields{}, row("reference", `"9"`, "references", `["1"]`), []string{"1"}, false},
		{"renamed", Fields{Reference: "gold"}, row("gold", `"7"`, "reference", `"8"`), []string{"7"}, false},
		{"absent", Fields{}, row("other", `1`), nil, true},
		{"null", Fields{}, row("reference", `null`), nil, true},
		{"empty", Fields{}, row("reference", `""`), nil, true},
		{"blank", Fields{}, row("reference", `"  "`), nil, true},
		{"empty list", Fields{}, row("references", `[]`), nil, true},
		{"one empty of two", Fields{}, row("references", `["1",""]`), nil, true},
		{"object", Fields{}, row("reference", `{"a":1}`), nil, true},
		{"bool", Fields{}, row("reference", `true`), nil, true},
		{"broken", Fields{}, row("reference", `"a`), nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.fields.References(tt.row)
			if (err != nil) != tt.bad || strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestFieldsRead(t *testing.T) {
	c := &Candidate{Response: "own", Row: Row{{"out", []byte(`"other"`)}, {"n", []byte(`[1]`)}}}
	for _, tt := range []struct {
		name, field, want string
		bad               bool
	}{
		{"own", "", "own", false}, {"column", "out", "other", false}, {"missing", "x", "", true}, {"wrong type", "n", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Fields{Response: tt.field}.Read(c)
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestCapKeepsRunes(t *testing.T) {
	s := Cap(strings.Repeat("é", MaxExtracted))
	if len(s) > MaxExtracted || !utf8.ValidString(s) {
		t.Errorf("%d bytes, valid %v", len(s), utf8.ValidString(s))
	}
	if Cap("short") != "short" {
		t.Error("a short text was changed")
	}
}
