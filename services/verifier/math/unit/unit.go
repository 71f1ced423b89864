// Package unit knows the units that answers are measured in, with exact factors, and reads expressions of them.
package unit

import (
	"math/big"
	"strconv"
	"strings"
)

// Unit is what a quantity is measured in.
type Unit struct {
	Name   string         // as it was read, singular
	Dim    map[string]int // powers of base dimensions; nil for a unit that no table knows
	Factor *big.Rat       // to base units
	Offset *big.Rat       // added before the factor; of temperatures only
}

// Known says whether a table has the unit.
func (u *Unit) Known() bool { return u.Dim != nil }

// SameDimension says whether values in the two units can be compared.
func (u *Unit) SameDimension(v *Unit) bool {
	if !u.Known() || !v.Known() {
		return u.Known() == v.Known() && u.Name == v.Name
	}
	if len(u.Dim) != len(v.Dim) {
		return false
	}
	for d, n := range u.Dim {
		if v.Dim[d] != n {
			return false
		}
	}
	return true
}

// Parse reads a unit expression: km/h, m s^{-2}, kg·m/s^2, square meters, cubic cm, meters per second.
func Parse(text string) (*Unit, bool) {
	text = strings.NewReplacer(`\cdot`, " ", "·", " ", "*", " ", "{", "", "}", "", `\degree`, "°", ".", " ", `^\circ`, "°", `\circ`, "°").Replace(text)
	text = strings.ReplaceAll(text, "/", " / ")
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 8 {
		return nil, false
	}
	u := &Unit{Name: strings.Join(fields, " "), Dim: map[string]int{}, Factor: big.NewRat(1, 1)}
	sign, power, have := 1, 1, false
	for i := 0; i < len(fields); i++ {
		w := fields[i]
		switch strings.ToLower(w) {
		case "/", "per":
			if !have {
				return nil, false
			}
			sign = -1
			continue
		case "square", "sq", "squared":
			if strings.ToLower(w) == "squared" {
				return nil, false
			}
			power = 2
			continue
		case "cubic", "cu":
			power = 3
			continue
		}
		base, e, ok := powerOf(w)
		if !ok {
			return nil, false
		}
		// meters squared, meter cubed
		if i+1 < len(fields) && (fields[i+1] == "squared" || fields[i+1] == "cubed") {
			e *= map[string]int{"squared": 2, "cubed": 3}[fields[i+1]]
			i++
		}
		if base.Offset != nil && len(fields) == 1 && e == 1 {
			return base, true
		}
		u.multiply(base, e*power*sign)
		power, have = 1, true
	}
	if !have || power != 1 {
		return nil, false
	}
	return u, true
}

// powerOf reads one unit with its exponent: s^-2, m2, cm^3.
func powerOf(w string) (*Unit, int, bool) {
	name, exp, has := strings.Cut(w, "^")
	e := 1
	if has {
		n, err := strconv.Atoi(exp)
		if err != nil || n == 0 || n > 9 || n < -9 {
			return nil, 0, false
		}
		e = n
	}
	u := Lookup(name)
	return u, e, u != nil
}

func (u *Unit) multiply(b *Unit, e int) {
	f := new(big.Rat).Set(b.Factor)
	if e < 0 {
		f.Inv(f)
	}
	for range max(e, -e) {
		u.Factor.Mul(u.Factor, f)
	}
	for d, n := range b.Dim {
		if u.Dim[d] += n * e; u.Dim[d] == 0 {
			delete(u.Dim, d)
		}
	}
}

// Lookup finds a unit by symbol (case counts: mm and Mm differ) or by name in singular or plural.
func Lookup(name string) *Unit {
	if u := table[name]; u != nil {
		return u
	}
	low := strings.ToLower(name)
	if len(low) < 3 {
		return nil
	}
	for _, n := range [...]string{low, strings.TrimSuffix(low, "s"), strings.TrimSuffix(low, "es")} {
		if u := table[n]; u != nil && len(n) >= 3 {
			return u
		}
	}
	return nil
}

// Symbol finds a unit by its exact symbol or name; nil for none.
func Symbol(name string) *Unit { return table[name] }
