package passport

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"keys by UTF-16 units", "{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"a\":3,\"\\u00e9\":4}", "{\"a\":3,\"é\":4,\"😀\":2,\"\ufb33\":1}"},
		{"spaces go", " { \"b\" : [ 1 , 2 ] , \"a\" : null } ", `{"a":null,"b":[1,2]}`},
		{"shortest number", `[1.0,1e2,0.00000100,-0,4.50,333333333.33333329]`, `[1,100,0.000001,0,4.5,333333333.3333333]`},
		{"the last integers that a double has", `[9007199254740992,-9007199254740992]`, `[9007199254740992,-9007199254740992]`},
		{"escapes that are needed only", `["\u000a\u0041\/\u20ac<>&"]`, `["\nA/€<>&"]`},
		{"a pair of surrogates", `["\ud83d\ude00"]`, `["😀"]`},
		{"an escaped backslash before u", `["\\ud800"]`, `["\\ud800"]`},
		{"a digit after an escape", `["\u00411"]`, `["A1"]`},
		{"an empty object", `{}`, `{}`},
		{"depth 64", strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical([]byte(c.in))
			if err != nil || string(got) != c.want {
				t.Fatalf("got %s (%v), want %s", got, err, c.want)
			}
			if err := RequireCanonical(got); err != nil {
				t.Errorf("its own form is refused: %v", err)
			}
		})
	}
}

func TestWhatHasNoSingleMeaningIsRefused(t *testing.T) {
	for _, c := range []struct{ name, in, says string }{
		{"duplicate key", `{"a":1,"a":1}`, "twice"},
		{"duplicate key after unescaping", `{"a":1,"\u0061":2}`, "twice"},
		{"duplicate key deep inside", `[{"x":{"k":1,"l":2,"k":3}}]`, "twice"},
		{"high surrogate alone", `["\ud800"]`, "surrogate"},
		{"high surrogate before another letter", `["\ud800\u0041"]`, "surrogate"},
		{"high surrogate at the end", `["\ud800`, "surrogate"},
		{"low surrogate alone", `["\udc00"]`, "surrogate"},
		{"surrogate in a key", `{"\udfff":1}`, "surrogate"},
		{"2^53+1, which reads as 2^53", `[9007199254740993]`, "2^53"},
		{"2^53 and a half", `[9007199254740992.5]`, "2^53"},
		{"minus 2^53-1", `[-9007199254740993]`, "2^53"},
		{"a large integer", `{"n":18446744073709551615}`, "2^53"},
		{"a large integer with exponent", `[1e16]`, "2^53"},
		{"out of range", `[1e400]`, "out of range"},
		{"an exponent bomb", `[1e999999999]`, "out of range"},
		{"a number that would become zero", `[1e-400]`, "zero"},
		{"NaN", `[NaN]`, "not JSON"},
		{"a byte-order mark", "\xef\xbb\xbf{}", "not JSON"},
		{"not UTF-8", "[\"\xff\"]", "UTF-8"},
		{"a surrogate as bytes", "[\"\xed\xa0\x80\"]", "UTF-8"},
		{"depth 65", strings.Repeat("[", 65) + strings.Repeat("]", 65), "deeper"},
		{"a depth bomb", strings.Repeat(`{"a":`, 1<<16), "deeper"},
		{"a second document", `{} {}`, "follows"},
		{"a comma behind", `{"a":1},`, "follows"},
		{"a comma too many", `{"a":1,}`, ""},
		{"a comma too few", `[1 2]`, ""},
		{"brackets that do not fit", `[}`, ""},
		{"cut off", `{"a":`, ""},
		{"a leading zero", `[01]`, ""},
		{"a control character", "[\"\n\"]", ""},
		{"nothing", ``, "not JSON"},
		{"too large", "[\"" + strings.Repeat("x", MaxBytes) + "\"]", "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical([]byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %.80s and %v, want an error with %q", got, err, c.says)
			}
			if dup := strings.HasPrefix(c.name, "duplicate"); dup != errors.Is(err, ErrDuplicateKey) {
				t.Errorf("is ErrDuplicateKey: %v", !dup)
			}
		})
	}
}

func TestRequireCanonical(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"canonical", `{"a":1,"b":"x"}`, nil}, {"space", `{"a": 1}`, ErrNotCanonical}, {"order", `{"b":1,"a":2}`, ErrNotCanonical},
		{"number", `{"a":1.0}`, ErrNotCanonical}, {"escape", `{"a":"\u0041"}`, ErrNotCanonical}, {"end of line", "{}\n", ErrNotCanonical},
		{"duplicate", `{"a":1,"a":1}`, ErrDuplicateKey},
	} {
		if err := RequireCanonical([]byte(c.in)); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,null,true],"b":{"\u00e9":"x"}}`, `["\ud83d\ude00"]`, `[1e21,-0]`, `{"a":1,"a":2}`, `[9007199254740993]`, "1", `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := Canonical(b)
		if err != nil {
			return
		}
		twice, err := Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q became %q, and that %q (%v)", b, once, twice, err)
		}
	})
}
