package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	many := "{" + strings.Join(keys, ",") + "}"
	tests := []struct {
		name string
		doc  string
		kind Kind // 0 for none
	}{
		{"object", `{"a":1,"b":[true,null,"x"]}`, 0},
		{"blanks", " \t\r\n{ \"a\" : 1 } ", 0},
		{"empty object", "{}", 0},
		{"empty array", "[ ]", 0},
		{"scalar", `-1.5e+10`, 0},
		{"escapes", `"\"\\\/\b\f\n\r\té"`, 0},
		{"lone surrogate", `"\ud800"`, 0},
		{"many keys", many, 0},
		{"nothing", "", NotJSON},
		{"NaN", "NaN", NotJSON},
		{"Infinity", "[Infinity]", NotJSON},
		{"comma at the end", "[1,]", NotJSON},
		{"comma at the end of an object", `{"a":1,}`, NotJSON},
		{"single quotes", "{'a':1}", NotJSON},
		{"two documents", "1 2", NotJSON},
		{"leading zero", "01", NotJSON},
		{"plus", "+1", NotJSON},
		{"point without digits", "1.", NotJSON},
		{"hexadecimal", "0x10", NotJSON},
		{"comment", "[1] // x", NotJSON},
		{"control character", "\"a\nb\"", NotJSON},
		{"not UTF-8", "\"\xff\"", NotJSON},
		{"bad escape", `"\x41"`, NotJSON},
		{"short escape", `"\u12"`, NotJSON},
		{"open string", `"abc`, NotJSON},
		{"open object", `{"a":1`, NotJSON},
		{"True", "True", NotJSON},
		{"key twice", `{"a":1,"a":2}`, DuplicateKey},
		{"key twice by an escape", `{"a":1,"\u0061":2}`, DuplicateKey},
		{"key twice below", `[{"b":{"a":1,"a":1}}]`, DuplicateKey},
		{"key twice among many", strings.TrimSuffix(many, "}") + `,"k3":1}`, DuplicateKey},
		{"late key twice among many", strings.TrimSuffix(many, "}") + `,"k19":1}`, DuplicateKey},
		{"100,000 brackets", strings.Repeat("[", 100_000), TooLarge},
		{"5,000 digits", strings.Repeat("7", 5000), TooLarge},
		{"too many values", "[" + strings.Repeat("1,", 100_000) + "1]", TooLarge},
		{"too many bytes", `"` + strings.Repeat("a", 1<<20) + `"`, TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check([]byte(tt.doc), Limits{})
			var e *Error
			if errors.As(err, &e) != (tt.kind != 0) || e != nil && (e.Kind != tt.kind || e.Error() == "") {
				t.Errorf("error %v, want kind %d", err, tt.kind)
			}
		})
	}
}

func TestObjectKeepsDigits(t *testing.T) {
	doc := []byte(`{"big": 123456789012345678901234567890, "é": [1, 2] , "n":{"x":0.10}}`)
	got, err := Object(doc, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Member{{"big", []byte("123456789012345678901234567890")}, {"é", []byte("[1, 2]")}, {"n", []byte(`{"x":0.10}`)}}
	if len(got) != len(want) {
		t.Fatalf("%d members", len(got))
	}
	for i := range want {
		if got[i].Key != want[i].Key || string(got[i].Value) != string(want[i].Value) {
			t.Errorf("%s = %s, want %s = %s", got[i].Key, got[i].Value, want[i].Key, want[i].Value)
		}
	}
	if _, err := Object([]byte("[1]"), Limits{}); err == nil {
		t.Error("an array was taken for an object")
	}
	items, err := Array([]byte(` [1, {"a":2}, "x"] `), Limits{})
	if err != nil || len(items) != 3 || string(items[1]) != `{"a":2}` {
		t.Errorf("%q, %v", items, err)
	}
}

// Whatever is taken here is taken by encoding/json too.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e3,"é",null]}`, `[[[]]]`, `"\ud83d\ude00"`, `{"":0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if Check(doc, Limits{}) == nil && !json.Valid(doc) {
			t.Fatalf("took %q", doc)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	doc := []byte(`{"id":"a1","prompt":"Q: 47+25=?","reference":"72","difficulty":3,"tags":["a","b"]}`)
	for b.Loop() {
		if _, err := Object(doc, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
