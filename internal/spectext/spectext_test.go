package spectext

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestScalar(t *testing.T) {
	for _, tt := range []struct {
		text string
		want any
	}{
		{`x=true`, true}, {`x=false`, false}, {`x="true"`, "true"}, {`x=True`, "True"},
		{`x=6`, 6.0}, {`x=-0.5`, -0.5}, {`x=0.1`, 0.1}, {`x="6"`, "6"},
		{`x=1e3`, "1e3"}, {`x=007`, "007"}, {`x=+1`, "+1"}, {`x=.5`, ".5"}, {`x=0x10`, "0x10"}, {`x=1_000`, "1_000"},
		{`x=nan`, "nan"}, {`x=Inf`, "Inf"}, {`x=infinity`, "infinity"},
		{`x=9007199254740993`, "9007199254740993"}, {`x=12345678901234567890123`, "12345678901234567890123"}, // a float would be another number
		{`x="\d{2,3}"`, `\d{2,3}`}, {`x=\d+`, `\d+`}, {`x=`, ""}, {`x=["a,b",1]`, `["a,b",1]`},
	} {
		_, options, err := Parse("v:" + tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got := options["x"].Scalar(); got != tt.want {
			t.Errorf("%s is %#v, want %#v", tt.text, got, tt.want)
		}
	}
}

func TestErrorsSayWhatIsRight(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "letters, digits",
		"a b:x=1":                           "letters, digits",
		"v:":                                "no colon",
		"v:x":                               "option=value",
		"v:x=1,":                            "after the comma",
		"v:x=1,x=2":                         "once",
		`v:x="a`:                            "closing quote",
		`v:x="a"b`:                          "comma or the end",
		`v:x=\d{2,3}`:                       `quote a value that has a comma`,
		"v:" + strings.Repeat("x", maxText): "use a file",
	} {
		_, options, err := Parse(text)
		var bad *Error
		if !errors.As(err, &bad) || options != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`regex:pattern="a\"b",mode=full`)
	f.Add(`contains:required=["a"],x=1`)
	f.Add(`v:x=9007199254740993`)
	f.Fuzz(func(t *testing.T, text string) {
		name, options, err := Parse(text)
		if err != nil {
			return
		}
		if !IsName(name) {
			t.Fatalf("took the name %q", name)
		}
		for option, v := range options {
			x, number := v.Scalar().(float64)
			if !IsName(option) || number && (math.IsNaN(x) || math.IsInf(x, 0)) {
				t.Fatalf("took %q = %v", option, v)
			}
		}
	})
}
