package task

import (
	"strings"
	"testing"
)

func TestExpression(t *testing.T) {
	n := number
	bin := func(op byte, l, r *expression) *expression { return &expression{op: op, left: l, right: r} }
	tests := []struct {
		name                string
		e                   *expression
		text, value, canon  string
		steps               string
		sameCanonicalAsText *expression
	}{
		{"sum", bin('+', n(47), n(25)), "47+25", "72", "(+25+47)", "47+25=72", bin('+', n(25), n(47))},
		{"difference", bin('-', n(3), n(8)), "3-8", "-5", "(+3-8)", "3-8=-5", nil},
		{"minus needs brackets", bin('-', n(1), bin('-', n(2), n(3))), "1-(2-3)", "2", "(+1+3-2)", "2-3=-1, 1-(-1)=2", nil},
		{"product of a sum", bin('*', bin('+', n(1), n(2)), n(3)), "(1+2)*3", "9", "((+1+2)*3)", "1+2=3, 3*3=9", bin('*', n(3), bin('+', n(2), n(1)))},
		{"product first", bin('+', n(1), bin('*', n(2), n(3))), "1+2*3", "7", "(+(2*3)+1)", "2*3=6, 1+6=7", bin('+', bin('*', n(3), n(2)), n(1))},
		{"large", bin('*', bin('*', n(999999), n(999999)), bin('*', n(999999), n(999999))), "999999*999999*(999999*999999)",
			"999996000005999996000001", "(999999*999999*999999*999999)",
			"999999*999999=999998000001, 999999*999999=999998000001, 999998000001*999998000001=999996000005999996000001", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var steps []string
			value := tt.e.evaluate(&steps).String()
			if tt.e.text() != tt.text || value != tt.value || strings.Join(steps, ", ") != tt.steps {
				t.Errorf("%s = %s by %v, want %s = %s by %s", tt.e.text(), value, steps, tt.text, tt.value, tt.steps)
			}
			if tt.e.canonical() != tt.canon {
				t.Errorf("canonical %s, want %s", tt.e.canonical(), tt.canon)
			}
			if o := tt.sameCanonicalAsText; o != nil && o.canonical() != tt.canon {
				t.Errorf("%s is %s, want the canonical form of %s", o.text(), o.canonical(), tt.text)
			}
		})
	}
}
