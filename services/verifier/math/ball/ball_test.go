package ball

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func rat(a, b int64) Real { return FromRat(big.NewRat(a, b)) }

func parse(t testing.TB, digits string) Real {
	t.Helper()
	v, ok := new(big.Rat).SetString(digits)
	if !ok {
		t.Fatal(digits)
	}
	return FromRat(v)
}

// The digits are published ones (OEIS A000796, A001113, A002162 and tables of functions).
func TestKnownDigits(t *testing.T) {
	must := func(x Real, err error) Real {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	sin1, cos1, err := SinCos(FromInt(1))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		got    Real
		digits string
	}{
		{"pi", Pi(), "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"},
		{"e", E(), "2.71828182845904523536028747135266249775724709369995957496696762772407663035354759"},
		{"ln 2", must(Log(FromInt(2))), "0.69314718055994530941723212145817656807550013436025525412068000949339362196969471"},
		{"ln 10", must(Log(FromInt(10))), "2.30258509299404568401799145468436420760110148862877297603332790096757260967735248"},
		{"sqrt 2", must(Sqrt(FromInt(2))), "1.41421356237309504880168872420969807856967187537694807317667973799073247846210704"},
		{"sin 1", sin1, "0.84147098480789650665250232163029899962256306079837106567275170999191040439123967"},
		{"cos 1", cos1, "0.54030230586813971740093660744297660373231042061792222767009725538110039477447176"},
		{"atan 1/2", must(Atan(rat(1, 2))), "0.46364760900080611621425623146121440202853705428612026381093308872019786416574170"},
		{"exp -10", must(Exp(FromInt(-10))), "4.539992976248485153559151556055061023791808886656496925907130565099942161430228165e-5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := parse(t, tt.digits)
			want.r = rad().SetMantExp(big.NewFloat(1), tt.got.m.MantExp(nil)-255) // 77 digits
			if !tt.got.Overlaps(want) || !tt.got.Tight(300) {
				t.Errorf("%s ± %s", tt.got.m.Text('g', 80), tt.got.r.Text('g', 5))
			}
		})
	}
}

func TestUndefined(t *testing.T) {
	tests := []struct {
		name string
		f    func() error
	}{
		{"1/0", func() error { _, err := FromInt(1).Div(FromInt(0)); return err }},
		{"log 0", func() error { _, err := Log(FromInt(0)); return err }},
		{"log −1", func() error { _, err := Log(FromInt(-1)); return err }},
		{"sqrt −1", func() error { _, err := Sqrt(FromInt(-1)); return err }},
		{"arcsin 2", func() error { _, err := AsinC(FromReal(FromInt(2))); return err }},
		{"0^0", func() error { _, err := PowInt(FromReal(FromInt(0)), 0); return err }},
		{"0^-1", func() error { _, err := PowC(FromReal(FromInt(0)), FromReal(FromInt(-1))); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.f(); !errors.Is(err, ErrUndefined) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := Exp(FromInt(1 << 20)); !errors.Is(err, ErrLarge) {
		t.Errorf("a huge exponent: %v", err)
	}
}

func TestComplex(t *testing.T) {
	minusOne := FromReal(FromInt(-1))
	root, err := SqrtC(minusOne)
	if err != nil || !root.Im.Overlaps(FromInt(1)) || !root.Re.IsZero() {
		t.Errorf("√−1 = %v, %v", root, err)
	}
	l, err := LogC(minusOne)
	if err != nil || !l.Im.Overlaps(Pi()) {
		t.Errorf("log −1: %v", err)
	}
	e, err := ExpC(Complex{FromInt(0), Pi()})
	if err != nil || !e.Re.Overlaps(FromInt(-1)) || !e.Im.ContainsZero() {
		t.Errorf("e^iπ: %v", err)
	}
	p, err := PowC(I(), I()) // e^{−π/2}
	want, _ := Exp(half(Pi()).Neg())
	if err != nil || !p.Re.Overlaps(want) {
		t.Errorf("i^i: %v", err)
	}
}

func TestFloor(t *testing.T) {
	tests := []struct {
		name string
		x    Real
		want int64
	}{{"2.5", rat(5, 2), 2}, {"−2.5", rat(-5, 2), -3}, {"3", FromInt(3), 3}, {"−3", FromInt(-3), -3}, {"pi", Pi(), 3}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Floor(tt.x)
			if n, ok := f.Integer(); err != nil || !ok || n != tt.want {
				t.Errorf("%v %v", n, err)
			}
		})
	}
	edge, _ := Sqrt(FromInt(2))
	edge = edge.Mul(edge) // 2, but nobody knows from which side
	if _, err := Floor(edge); !errors.Is(err, ErrWide) {
		t.Errorf("floor of a ball around 2: %v", err)
	}
}

// Identities hold to the last guaranteed digit, and float64 agrees as far as it goes.
func TestIdentities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rat(rapid.Int64Range(-1<<20, 1<<20).Draw(t, "x"), 1<<16)
		s, c, err := SinCos(x)
		if err != nil {
			t.Fatal(err)
		}
		if one := s.Mul(s).Add(c.Mul(c)); !one.Overlaps(FromInt(1)) || !one.Tight(290) {
			t.Fatalf("sin²+cos² of %v", x.Float())
		}
		e, err := Exp(x)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := Log(e); err != nil || !l.Overlaps(x) || !l.Exact() && l.r.MantExp(nil) > -290 {
			t.Fatalf("log exp of %v: %v ± %v, %v", x.Float(), l.Float(), l.r, err)
		}
		a, err := Atan(x)
		if err != nil {
			t.Fatal(err)
		}
		sa, ca, _ := SinCos(a)
		if q, err := sa.Div(ca); err != nil || !q.Overlaps(x) {
			t.Fatalf("tan arctan of %v", x.Float())
		}
		for _, pair := range [][2]float64{{s.Float(), math.Sin(x.Float())}, {a.Float(), math.Atan(x.Float())}, {e.Float(), math.Exp(x.Float())}} {
			if math.Abs(pair[0]-pair[1]) > 1e-12*math.Max(1, math.Abs(pair[1])) {
				t.Fatalf("%v against %v", pair[0], pair[1])
			}
		}
	})
}

func TestTinyDifferencesAreSeen(t *testing.T) {
	a, b := parse(t, "1e-60"), parse(t, "2e-60")
	if a.Overlaps(b) || a.ContainsZero() {
		t.Error("1e-60 counts as 2e-60 or as 0")
	}
	one := FromInt(1)
	if one.Overlaps(one.Add(parse(t, "1e-70"))) {
		t.Error("1 + 1e-70 counts as 1")
	}
}

func BenchmarkExp(b *testing.B) {
	x := rat(7, 3)
	for b.Loop() {
		_, _ = Exp(x)
	}
}

func BenchmarkLog(b *testing.B) {
	x := rat(7, 3)
	for b.Loop() {
		_, _ = Log(x)
	}
}

func BenchmarkSinCos(b *testing.B) {
	x := rat(7, 3)
	for b.Loop() {
		_, _, _ = SinCos(x)
	}
}
