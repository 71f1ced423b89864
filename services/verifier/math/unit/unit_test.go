package unit

import "testing"

func TestUnits(t *testing.T) {
	if len(table) < 150 {
		t.Errorf("%d names of units", len(table))
	}
	for name, u := range table {
		if u.Factor == nil || u.Factor.Sign() <= 0 || u.Dim == nil {
			t.Errorf("%s has no factor or dimension", name)
		}
	}
	tests := []struct {
		text   string
		factor string // to base units; empty for no unit
	}{
		{"km", "1000"}, {"km/h", "5/18"}, {"m/s^2", "1"}, {"square meters", "1"}, {"cubic cm", "1/1000000"}, {"meters per second", "1"}, {"kg m/s^2", "1"},
		{"Kilometers", "1000"}, {"ft", "381/1250"}, {"meters squared", "1"}, {"apples", ""}, {"per second", ""}, {"square", ""}, {"km/", "1000"}, {"m^99", ""}, {"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			u, ok := Parse(tt.text)
			if ok != (tt.factor != "") || ok && u.Factor.RatString() != tt.factor {
				t.Errorf("%+v %v, want factor %q", u, ok, tt.factor)
			}
		})
	}
	newton, _ := Parse("kg m/s^2")
	if !newton.SameDimension(Symbol("N")) || newton.SameDimension(Symbol("J")) {
		t.Error("kg m/s² is not a newton, or is a joule")
	}
}
