package plain

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func samples() map[string]Value {
	large := new(big.Int).Lsh(big.NewInt(1), 100)
	return map[string]Value{
		"None": nil, "True": true, "False": false, "0": int64(0), "-1": int64(-1), "2147483647": int64(math.MaxInt32), "-2147483648": int64(math.MinInt32),
		"2147483648": int64(math.MaxInt32 + 1), "9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64),
		"1267650600228229401496703205376": large, "-1267650600228229401496703205376": new(big.Int).Neg(large),
		"1.5": 1.5, "float('inf')": math.Inf(1), "-0.0": math.Copysign(0, -1), "(1+2j)": complex(1, 2),
		"'é😀'": Str("é😀"), "''": Str(""), "b'\\x00\\xff'": Bytes("\x00\xff"), "[]": List{}, "[1, [2]]": List{int64(1), List{int64(2)}},
		"(1,)": Tuple{int64(1)}, "()": Tuple{}, "{1}": Set{int64(1)}, "frozenset({1})": FrozenSet{int64(1)},
		"{'a': 1, 'b': {}}": Dict{{Str("a"), int64(1)}, {Str("b"), Dict{}}},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, v := range samples() {
		b, err := Append(nil, v)
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := Decode(b)
		if err != nil || !reflect.DeepEqual(got, v) && !(v == nil && got == nil) {
			t.Errorf("%s: %#v, %v", name, got, err)
		}
	}
}

// TestPythonAgrees: Python's marshal reads what we write, and writes what we read.
func TestPythonAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	program := "import marshal,sys\nout=[]\n"
	var values []Value
	for text, v := range samples() {
		b, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		program += fmt.Sprintf("v=%s\nassert repr(marshal.loads(bytes.fromhex('%x')))==repr(v), repr(v)\nout.append(v)\n", text, b)
		values = append(values, v)
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", "-S", "-c", program+"sys.stdout.buffer.write(marshal.dumps(out,2))")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("Python does not read it: %v %s", err, out)
	}
	if got, err := Decode(out); err != nil || !reflect.DeepEqual(got, List(values)) {
		t.Errorf("Python wrote %q, read as %#v, %v", out, got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]string{
		"empty": "", "unknown code": "?", "cut integer": "i\x01\x00", "trailing": "NN", "negative length": "[\xff\xff\xff\xff", "huge length": "u\xff\xff\xff\x7fab",
		"end without a dict": "0", "dict without a value": "{N0", "dict never closed": "{NN", "code object": "c\x00", "reference": "r\x00\x00\x00\x00", "flagged": "\xe9\x00\x00\x00\x00",
		"digit above 15 bits": "l\x01\x00\x00\x00\xff\xff", "too many digits": "l\xff\xff\xff\x7f", "list longer than its bytes": "[\x05\x00\x00\x00N", "our handle": "R\x00\x00\x00\x00\x00\x00\x00\x00",
		"deep": strings.Repeat("[\x01\x00\x00\x00", MaxDepth+1) + "N", "other without a state": "E\x01\x00\x00\x00x", "handle without a name": "H\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	}
	for name, b := range tests {
		if v, err := Decode([]byte(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %#v, %v", name, v, err)
		}
	}
	if _, err := Decode(make([]byte, MaxMessage+1)); !errors.Is(err, ErrMalformed) {
		t.Errorf("too large: %v", err)
	}
	if _, err := Decode([]byte("[\x00\x00\x20\x00" + strings.Repeat("N", 1<<21))); !errors.Is(err, ErrMalformed) {
		t.Errorf("too many values: %v", err)
	}
}

func TestAppendRefusesForeignTypes(t *testing.T) {
	for _, v := range []Value{Object{}, 3, struct{}{}, List{Object{}}, Dict{{Key: nil, Value: 1}}} {
		if _, err := Append(nil, v); err == nil {
			t.Errorf("%#v was written", v)
		}
	}
}

// FuzzDecode: no panic, and what is read can be written and read again as the same.
func FuzzDecode(f *testing.F) {
	for _, v := range samples() {
		if b, err := Append(nil, v); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte("H\x01\x00\x00\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00x"))
	f.Add([]byte("E\x01\x00\x00\x00xN"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Append(nil, v)
		if err != nil {
			return // objects and values of the library are read only
		}
		w, err := Decode(again)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", b, again, err)
		}
		if third, _ := Append(nil, w); string(third) != string(again) {
			t.Errorf("%q and %q", again, third)
		}
	})
}
