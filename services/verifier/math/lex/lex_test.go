package lex

import (
	"errors"
	"strings"
	"testing"
)

func TestLookalikes(t *testing.T) {
	tests := []struct{ name, text, ascii string }{
		{"minus", "\u22125", "-5"},
		{"full width", "４２", "42"},
		{"superscripts", "x¹²", "x^{12}"},
		{"subscripts", "x₁", "x_{1}"},
		{"half", "½", `\frac{1}{2}`},
		{"signs", "x ≤ 3 × 2", `x \le 3 \times 2`},
		{"Greek", "α + π", `\alpha + \pi`},
		{"blanks", "1\u00a0m", "1 m"},
		{"zero width", "4\u200b2", "42"},
		{"ohm", "5 \u2126", `5 \Omega`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.ReplaceAll(Fold(tt.text), "  ", " "); strings.TrimSpace(got) != tt.ascii {
				t.Errorf("%q becomes %q, want %q", tt.text, got, tt.ascii)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	tests := []struct{ name, text, want string }{ // tokens by kind and text, a dot before those with a blank before
		{"number and word", "2 km", "N:2 .W:km"},
		{"command", `\frac{1}{2}`, `C:\frac S:{ N:1 S:} S:{ N:2 S:}`},
		{"text", `5\text{ cm }x`, "N:5 .T:cm .W:x"},
		{"looks", `\left( \displaystyle x \right)`, "S:( .W:x .S:)"},
		{"two characters", "x<=3!=4**2", "W:x S:<= N:3 S:!= N:4 S:** N:2"},
		{"thousands", "1,234,567", "N:1,234,567"},
		{"list", "1, 2", "N:1 S:, .N:2"},
		{"coordinates", "(1,234)", "S:( N:1 S:, N:234 S:)"},
		{"money", `\$5`, "S:$ N:5"},
		{"phantom", `\phantom{00}5`, ".N:5"},
		{"letters of other scripts", "дом", "W:дом"},
	}
	marks := map[Kind]string{Number: "N", Word: "W", Command: "C", Text: "T", Sign: "S"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tokens, err := Tokens(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range tokens {
				s := marks[k.Kind] + ":" + k.Text
				if k.Space {
					s = "." + s
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"delimiters", `$x$`, "x"}, {"display", `\[ x \]`, "x"}, {"bold and point", "**42**.", "42"}, {"two formulas", "$1$ or $2$", "1  or  2"},
		{"money stays", "$5 and $6", "$5 and $6"}, {"ellipsis stays", "0.333...", "0.333..."}, {"one dollar", "$5", "$5"}, {"broken begin", `\\begin{matrix}`, `\begin{matrix}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.text); got != tt.want {
				t.Errorf("%q becomes %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestMarks(t *testing.T) {
	for text, want := range map[string]bool{"import os": true, "x.__class__": true, "lambda x: x": true, "important": false, "reimport x": false, "x_1": false, "2pi": false} {
		if IsCode(text) != want {
			t.Errorf("%q is code: %v", text, !want)
		}
	}
	for text, want := range map[string]bool{`\int x`: true, `\sum_1`: true, `x\in S`: false, `\infty`: false, "1...": true, `\begin{cases}`: true, "x": false} {
		if HasOpaque(text) != want {
			t.Errorf("%q is opaque: %v", text, !want)
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(`\frac{1,234.5}{\text{x}}`)
	f.Add("0.\\dot{1}4\\dot{2}e5")
	f.Fuzz(func(t *testing.T, s string) {
		tokens, err := Tokens(Clean(s))
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error of another type: %v", err)
		}
		for _, k := range tokens {
			if k.Kind == Number && (k.Num == nil || k.Num.Value == nil) {
				t.Fatalf("%q gives a number without a value", s)
			}
		}
	})
}
