package dataset

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestValidateNamesWhatIsWrong(t *testing.T) {
	text := strings.Join([]string{
		`{"id":"a","prompt":"p","reference":"1"}`, `{"id":"a","prompt":"q","reference":"2"}`, `{"prompt":"r"}`, `{"reference":"1"}`,
		`{"prompt":"s","reference":NaN}`, `{"prompt":"t","prompt":"u","reference":"1"}`, `not json`, `{"prompt":["x"],"reference":"1"}`,
		`{"prompt":"v","references":["1","2"]}`, `{"prompt":"w","reference":7}`, `{"prompt":"x","reference":"1"} {}`, "\xff{}", "",
	}, "\n")
	got, err := Validate(strings.NewReader(text), Need{Reference: true})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range got.Problems {
		lines = append(lines, fmt.Sprintf("%d:%s", p.Row, p.Kind))
	}
	want := []string{"2:duplicate_id", "3:no_reference", "4:no_prompt", "5:non_finite", "6:duplicate_key", "7:not_json", "8:not_text", "11:not_json", "12:not_utf8"}
	if !slices.Equal(lines, want) || got.Count != uint64(len(want)) || got.Rows != 12 {
		t.Errorf("got %v (%d of %d rows), want %v", lines, got.Count, got.Rows, want)
	}
}

func TestTwentyAreShownAndAllAreCounted(t *testing.T) {
	got, err := Validate(strings.NewReader(strings.Repeat("{}\n", 50)), Need{})
	if err != nil || len(got.Problems) != 20 || got.Count != 50 {
		t.Errorf("%d shown, %d counted, %v", len(got.Problems), got.Count, err)
	}
	if got, err = Validate(strings.NewReader("\n"), Need{}); err != nil || got.Count != 1 || got.Problems[0].Kind != "empty" {
		t.Errorf("an empty dataset: %+v, %v", got, err)
	}
	long, err := Validate(strings.NewReader(`{"prompt":"`+strings.Repeat("x", MaxLine)+`"}`), Need{})
	if err != nil || long.Problems[0].Kind != "too_long" {
		t.Errorf("an endless row: %+v, %v", long, err)
	}
}

// The rows of evaluator.md section 7 that a file of JSON lines can bring: each is named by its line, none ends the reading.
func TestHostileLines(t *testing.T) {
	const good = `{"id":"g","prompt":"p"}`
	for _, c := range []struct {
		name, line, kind string
	}{
		{"deep arrays", `{"prompt":"p","x":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`, "too_large"},
		{"deep objects", strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), "too_large"},
		{"a number of 100,000 digits", `{"prompt":"p","x":` + strings.Repeat("9", 100_000) + `}`, "too_large"},
		{"Infinity", `{"prompt":"p","x":-Infinity}`, "non_finite"},
		{"NUL between", "{\"prompt\":\x00\"p\"}", "not_json"},
		{"not UTF-8", "{\"prompt\":\"\xc3(\"}", "not_utf8"},
		{"a list", `["p"]`, "not_json"},
		{"cut off", `{"prompt":"p"`, "not_json"},
		{"an empty prompt", `{"prompt":" "}`, "no_prompt"},
		{"a byte-order mark in the middle", "\xef\xbb\xbf" + `{"prompt":"p"}`, "not_json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Validate(strings.NewReader("\xef\xbb\xbf"+good+"\r\n"+c.line+"\n{\"id\":\"last\",\"prompt\":\"q\"}"), Need{})
			if err != nil || got.Rows != 3 || got.Count != 1 || got.Problems[0].Row != 2 || got.Problems[0].Kind != c.kind {
				t.Errorf("%d rows, %d problems, %.200v, %v; want %s in row 2", got.Rows, got.Count, got.Problems, err, c.kind)
			}
		})
	}
}

func TestSharedRows(t *testing.T) {
	read := func(text string) Report {
		r, err := Validate(strings.NewReader(text), Need{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rows, examples := Shared(read("{\"prompt\":\"a  b\"}\n{\"prompt\":\"c\"}\n"), read(`{"prompt":" a b "}`))
	if rows != 1 || !slices.Equal(examples, []uint64{1}) {
		t.Errorf("%d shared, %v", rows, examples)
	}
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range at {
		out = append(out, h[i])
	}
	return out, nil
}

func TestRootIsThatOfRFC6962(t *testing.T) {
	var text strings.Builder
	var stored hashes
	for n := range int64(21) {
		line := fmt.Sprintf(`{"prompt":"%d","x":1}`, n)
		text.WriteString(line + "\n")
		more, err := tlog.StoredHashes(n, []byte(line), stored)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		want, err := tlog.TreeHash(n+1, stored)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Learn(strings.NewReader(text.String()))
		if err != nil || got.Root != want || got.Rows != uint64(n+1) {
			t.Fatalf("%d rows: root %x, want %s, %v", got.Rows, got.Root, want, err)
		}
	}
	got, err := Learn(strings.NewReader("x\n"))
	if err != nil || got.Root != sha256.Sum256(nil) || got.Bad != 1 {
		t.Errorf("no rows: %+v, %v", got, err)
	}
}

func FuzzEach(f *testing.F) {
	f.Add(`{"prompt":"p","id":1}`)
	f.Add("{\"a\":1,\"a\":2}\n[]\n")
	f.Fuzz(func(t *testing.T, text string) {
		err := Each(strings.NewReader(text), func(r Row) error {
			if len(r.Raw) == 0 || r.Fields == nil {
				t.Error("an empty row came through")
			}
			return nil
		}, func(_ uint64, kind, detail string) {
			if kind == "" || detail == "" {
				t.Error("a problem without a name")
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}
