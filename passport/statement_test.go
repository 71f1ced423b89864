package passport

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestStatementIsReadBack(t *testing.T) {
	k := key(t, "a")
	want := statement(t, k)
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeStatement(b)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := got.Encode(); err != nil || !bytes.Equal(again, b) {
		t.Errorf("%s\nbecame %s, %v", b, again, err)
	}
}

// Each row changes the text of a good statement; the keys stay in order, so that only the change itself is wrong.
func TestDecodeStatementIsStrict(t *testing.T) {
	k := key(t, "a")
	good, err := statement(t, k).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"unknown field", `{"_type":`, `{"_a":1,"_type":`, ErrStatement},
		{"unknown field of the predicate", `"bom":{`, `"audit":{},"bom":{`, ErrStatement},
		{"duplicate field", `"runId":"06e8k"`, `"runId":"06e8k","runId":"06e8k"`, ErrDuplicateKey},
		{"a field in another case", `"runId":`, `"runID":`, ErrStatement},
		{"a field is missing", `,"runId":"06e8k"`, ``, ErrStatement},
		{"a list is null", `"parents":[]`, `"parents":null`, ErrStatement},
		{"a list is missing", `"parents":[],`, ``, ErrStatement},
		{"a number for a text", `"size":"812"`, `"size":812`, ErrStatement},
		{"size with a zero before", `"size":"812"`, `"size":"0812"`, ErrStatement},
		{"size with a sign", `"size":"812"`, `"size":"+812"`, ErrStatement},
		{"a space", `"runId":"06e8k"`, `"runId": "06e8k"`, ErrNotCanonical},
		{"other type", StatementType, "https://in-toto.io/Statement/v0.1", ErrStatement},
		{"other predicate", PredicateType, "https://slsa.dev/provenance/v1", ErrStatement},
		{"other schema", `"` + Schema + `"`, `"provenir.passport/v2"`, ErrStatement},
		{"a state that is no end", `"succeeded"`, `"running"`, ErrStatement},
		{"a risk state that is none", `"state":"unknown"`, `"state":"fine"`, ErrStatement},
		{"risk claims out of order", `"partial_run"`, `"zz"`, ErrStatement},
		{"a risk claim twice", `"partial_run"`, `"pii_found"`, ErrStatement},
		{"a file twice", `"config.json"`, `"model.safetensors"`, ErrStatement},
		{"a file outside", `"config.json"`, `"../config.json"`, ErrStatement},
		{"an absolute file", `"config.json"`, `"/config.json"`, ErrStatement},
		{"a file with a line end", `"config.json"`, `"config\njson"`, ErrStatement},
		{"a digest that nobody checks", `"digest":{"sha256":`, `"digest":{"md5":"00","sha256":`, ErrStatement},
		{"root without dirHash", `"dirHash"`, `"dirhash"`, ErrStatement},
		{"upper-case hex", `"digest":{"sha256":"`, `"digest":{"sha256":"A`, ErrStatement},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !bytes.Contains(good, []byte(c.old)) {
				t.Fatalf("the statement has no %s", c.old)
			}
			_, err := DecodeStatement([]byte(strings.Replace(string(good), c.old, c.new, 1)))
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestAStatementNeedsFiles(t *testing.T) {
	s := statement(t, key(t, "a"))
	for _, n := range []int{0, 1} {
		short := s
		short.Subject = s.Subject[:n]
		b, err := short.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeStatement(b); !errors.Is(err, ErrStatement) {
			t.Errorf("%d subjects: %v", n, err)
		}
	}
}

func FuzzDecodeStatement(f *testing.F) {
	k := key(f, "fuzz")
	b, err := statement(f, k).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeStatement(b)
		if err != nil {
			return
		}
		if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q was read as %q, %v", b, again, err)
		}
	})
}
