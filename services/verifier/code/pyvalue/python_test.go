package pyvalue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/code/pyvalue"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// judge evaluates what each pair of literals comes to; "T" is an exception.
const judge = `
import json, sys
nan, inf = float('nan'), float('inf')
ops = {'==': lambda a, b: a == b, '<': lambda a, b: a < b, '<=': lambda a, b: a <= b, 'in': lambda a, b: a in b,
       'bool': lambda a, b: bool(a), 'abs': lambda a, b: repr(float(abs(a - b)))}
out = []
for a, b in json.load(sys.stdin):
    row = {}
    for name, op in ops.items():
        try:
            row[name] = str(op(eval(a), eval(b)))
        except Exception:
            row[name] = 'T'
    out.append(row)
json.dump(out, sys.stdout)
`

// drawer makes values and their Python literals. Numbers cluster where integers, floats and booleans meet.
type drawer struct{ r *rand.Rand }

func (d drawer) number() (plain.Value, string) {
	switch d.r.IntN(8) {
	case 0:
		return d.r.IntN(2) == 1, ""
	case 1:
		n := []int64{0, 1, 2, -1, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64}[d.r.IntN(8)]
		return n, strconv.FormatInt(n, 10)
	case 2:
		n := new(big.Int).Lsh(big.NewInt(int64(1+d.r.IntN(3))), uint(62+d.r.IntN(1000)))
		return plain.Int(n.Add(n, big.NewInt(int64(d.r.IntN(3)-1)))), n.String()
	case 3:
		c := complex(float64(d.r.IntN(3)), float64(d.r.IntN(2)))
		return c, fmt.Sprintf("complex(%g, %g)", real(c), imag(c))
	case 4: // a NaN is another object each time: a list holds the same one by identity
		f := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1 << 53, 1 << 63, 1e300, 5e-324}[d.r.IntN(8)]
		return f, fmt.Sprintf("float('%g')", f)
	}
	f := float64(d.r.IntN(9)-4) / 2
	return f, strconv.FormatFloat(f, 'f', 1, 64)
}

// hashable draws what may be a key.
func (d drawer) hashable(depth int) (plain.Value, string) {
	switch d.r.IntN(7) {
	case 0:
		return nil, "None"
	case 1:
		s := []string{"", "a", "ab", "b", "é", "ａ"}[d.r.IntN(6)]
		return plain.Str(s), strconv.Quote(s)
	case 2:
		s := []string{"", "a", "ab", "b"}[d.r.IntN(4)]
		return plain.Bytes(s), "b" + strconv.Quote(s)
	case 3:
		if depth > 0 {
			items, text := d.list(depth-1, d.hashable)
			return plain.Tuple(items), "(" + strings.Join(append(text, ""), ",") + ")"
		}
	case 4:
		if depth > 0 {
			items, text := d.list(depth-1, d.hashable)
			return plain.FrozenSet(items), "frozenset([" + strings.Join(text, ",") + "])"
		}
	}
	v, text := d.number()
	if text == "" {
		text = map[bool]string{true: "True", false: "False"}[v == true]
	}
	return v, text
}

func (d drawer) any(depth int) (plain.Value, string) {
	if depth > 0 {
		switch d.r.IntN(6) {
		case 0:
			items, text := d.list(depth-1, d.any)
			return plain.List(items), "[" + strings.Join(text, ",") + "]"
		case 1:
			items, text := d.list(depth-1, d.any)
			return plain.Tuple(items), "(" + strings.Join(append(text, ""), ",") + ")"
		case 2:
			items, text := d.list(depth-1, d.hashable)
			return plain.Set(items), "set([" + strings.Join(text, ",") + "])"
		case 3:
			keys, names := d.list(depth-1, d.hashable)
			out, text := plain.Dict{}, []string{}
			for i, k := range keys {
				v, value := d.any(depth - 1)
				out, text = append(out, plain.Pair{Key: k, Value: v}), append(text, names[i]+":"+value)
			}
			return out, "{" + strings.Join(text, ",") + "}"
		}
	}
	return d.hashable(depth)
}

func (d drawer) list(depth int, one func(int) (plain.Value, string)) (items []plain.Value, text []string) {
	for range d.r.IntN(4) {
		v, t := one(depth)
		items, text = append(items, v), append(text, t)
	}
	return items, text
}

func said(v bool, err error) string {
	if err != nil {
		return "T"
	}
	return map[bool]string{true: "True", false: "False"}[v]
}

// What Go decides is what Python decides, on values of every kind that cross the boundary.
func TestPythonAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on the path to compare with")
	}
	d := drawer{rand.New(rand.NewPCG(7, 8))}
	const pairs = 20_000
	var values [][2]plain.Value
	var texts [][2]string
	for i := range pairs {
		a, ta := d.any(i % 4)
		b, tb := d.any(i % 4)
		if i%3 == 0 && !strings.Contains(ta, "nan") {
			b, tb = a, ta // equal ones are rare otherwise
		}
		values, texts = append(values, [2]plain.Value{a, b}), append(texts, [2]string{ta, tb})
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-I", "-c", judge)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &bytes.Buffer{}
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	var want []map[string]string
	if err := json.Unmarshal(raw, &want); err != nil || len(want) != pairs {
		t.Fatalf("%d answers, %v", len(want), err)
	}
	seen := map[string]int{}
	for i, v := range values {
		a, b := v[0], v[1]
		got := map[string]string{"==": said(pyvalue.Equal(a, b)), "<": said(pyvalue.Less(a, b)), "<=": said(pyvalue.LessEqual(a, b)), "in": said(pyvalue.In(a, b)), "bool": said(pyvalue.Truth(a))}
		for op, g := range got {
			seen[op+g]++
			if g != want[i][op] {
				t.Errorf("%s %s %s: Go says %s, Python %s", texts[i][0], op, texts[i][1], g, want[i][op])
			}
		}
		if diff, err := pyvalue.AbsDifference(a, b); err == nil && want[i]["abs"] != "T" {
			seen["abs"]++
			if f, err := strconv.ParseFloat(want[i]["abs"], 64); err != nil || !close(f, diff) {
				t.Errorf("abs(%s - %s): Go says %v, Python %s", texts[i][0], texts[i][1], diff, want[i]["abs"])
			}
		}
	}
	for _, op := range []string{"==", "<", "<=", "in"} {
		if seen[op+"True"] < 100 || seen[op+"False"] < 100 {
			t.Errorf("%s is hardly tried: %v", op, seen)
		}
	}
}

func close(f float64, v plain.Value) bool {
	switch v := v.(type) {
	case float64:
		return v == f || math.IsNaN(v) && math.IsNaN(f) || math.Abs(v-f) <= 1e-15*math.Abs(f)
	case int64:
		return float64(v) == f
	case *big.Int:
		g, _ := new(big.Float).SetInt(v).Float64()
		return g == f
	}
	return false
}

// An object of the candidate's decides nothing, wherever it lies; one that compares by identity equals no plain data.
func TestObjectsDecideNothing(t *testing.T) {
	alive, inert := plain.Object{ID: 1, Type: "Sly"}, plain.Object{ID: 2, Type: "Calm", Flags: plain.Inert}
	for name, v := range map[string]plain.Value{"itself": alive, "in a list": plain.List{alive}, "in a tuple": plain.Tuple{int64(1), alive}, "as a value": plain.Dict{{Key: plain.Str("k"), Value: alive}}} {
		other := map[string]plain.Value{"itself": int64(1), "in a list": plain.List{int64(1)}, "in a tuple": plain.Tuple{int64(1), int64(2)}, "as a value": plain.Dict{{Key: plain.Str("k"), Value: int64(1)}}}[name]
		if _, err := pyvalue.Equal(v, other); !errors.Is(err, pyvalue.ErrObject) {
			t.Errorf("%s on the left: %v", name, err)
		}
		if _, err := pyvalue.Equal(other, v); !errors.Is(err, pyvalue.ErrObject) {
			t.Errorf("%s on the right: %v", name, err)
		}
	}
	if eq, err := pyvalue.Equal(inert, int64(1)); eq || err != nil {
		t.Errorf("one that compares by identity: %v, %v", eq, err)
	}
	for name, f := range map[string]func() error{
		"<":    func() error { _, err := pyvalue.Less(alive, int64(1)); return err },
		"bool": func() error { _, err := pyvalue.Truth(alive); return err },
		"in":   func() error { _, err := pyvalue.In(int64(1), alive); return err },
		"abs":  func() error { _, err := pyvalue.AbsDifference(alive, int64(1)); return err },
		"key":  func() error { _, err := pyvalue.In(alive, plain.Set{int64(1)}); return err },
	} {
		if err := f(); !errors.Is(err, pyvalue.ErrObject) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Values that hold each other many times over end, and say so.
func TestAComparisonEnds(t *testing.T) {
	v := plain.List{int64(1)}
	for range 40 {
		v = plain.List{v, v}
	}
	if _, err := pyvalue.Equal(v, v); err == nil {
		t.Error("2⁴⁰ comparisons were made")
	}
}
