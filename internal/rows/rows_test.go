package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// all reads a file: rows as key=json, errors as line:code.
func all(t testing.TB, name, content string, o Options) ([]string, error) {
	t.Helper()
	r, err := Open(name, strings.NewReader(content), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	for {
		row, err := r.Next()
		var bad *RowError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &bad):
			out = append(out, fmt.Sprintf("%d!%s", bad.Line, bad.Code))
			continue
		case err != nil:
			return out, err
		}
		s := fmt.Sprint(row.Line)
		for _, f := range row.Fields {
			s += " " + f.Key + "=" + string(f.JSON)
		}
		out = append(out, s)
	}
}

func compressed(t testing.TB, how, content string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if how == "zst" {
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	lines := "{\"id\":\"a\",\"n\":1.50}\n\n{\"id\":\"b\"}\r\n{\"id\":\"c\"}"
	want := []string{`1 id="a" n=1.50`, `3 id="b"`, `4 id="c"`}
	tests := []struct {
		name    string
		file    string
		content string
		options Options
		want    []string
	}{
		{"lines", "x.jsonl", lines, Options{}, want},
		{"other ending", "x.NDJSON", lines, Options{}, want},
		{"standard input", "-", lines, Options{}, want},
		{"byte order mark", "x.jsonl", "\xef\xbb\xbf" + lines, Options{}, want},
		{"gzip", "x.jsonl.gz", compressed(t, "gz", lines), Options{}, want},
		{"zstd", "x.jsonl.zst", compressed(t, "zst", lines), Options{}, want},
		{"array", "x.json", ` [ {"id":"a","n":12345678901234567890} , {"id":"b"} ] `, Options{}, []string{`1 id="a" n=12345678901234567890`, `2 id="b"`}},
		{"empty array", "x.json", "[]", Options{}, nil},
		{"table", "x.csv", "id,text\na,\"x, \"\"y\"\"\nz\"\nb,<007>\n", Options{}, []string{`2 id="a" text="x, \"y\"\nz"`, `4 id="b" text="<007>"`}},
		{"named format", "data.txt", "id\na\n", Options{Format: "csv"}, []string{`2 id="a"`}},
		{"nothing", "x.jsonl", "", Options{}, nil},
		{"bad rows do not stop", "x.jsonl", "{\"a\":1}\n{\"a\":1,\"a\":2}\nx\n[1]\n{\"b\":2}\n", Options{}, []string{"1 a=1", "2!duplicate_key", "3!bad_row", "4!bad_row", "5 b=2"}},
		{"long rows do not stop", "x.jsonl", `{"a":"` + strings.Repeat("x", 200_000) + "\"}\n{\"b\":2}\n", Options{MaxRow: 1000}, []string{"1!too_large", "2 b=2"}},
		{"long last row", "x.jsonl", `{"a":"` + strings.Repeat("x", 2000) + `"}`, Options{MaxRow: 1000}, []string{"1!too_large"}},
		{"short record", "x.csv", "a,b\n1\n2,3\n", Options{}, []string{"2!bad_row", `3 a="2" b="3"`}},
		{"cells that are not UTF-8", "x.csv", "a\n\xff\nok\n", Options{}, []string{"2!bad_row", `3 a="ok"`}},
		{"bad element", "x.json", `[{"a":1,"a":2},3,{"b":1}]`, Options{}, []string{"1!duplicate_key", "2!bad_row", "3 b=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := all(t, tt.file, tt.content, tt.options)
			if err != nil || strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	tests := []struct {
		name, file, content, want string
		options                   Options
	}{
		{"parquet", "x.parquet", "PAR1", "jsonl, json or csv", Options{}},
		{"no ending", "data", "", "jsonl, json or csv", Options{}},
		{"not gzip", "x.jsonl.gz", "{}", "not gzip", Options{}},
		{"not an array", "x.json", `{"a":1}`, "one object a line is .jsonl", Options{}},
		{"text behind the array", "x.json", `[{"a":1}] x`, "behind the array", Options{}},
		{"array that does not end", "x.json", `[{"a":1}`, "does not end", Options{}},
		{"array that ends behind a comma", "x.json", `[{"a":1},`, "unexpected EOF", Options{}},
		{"array that ends in an element", "x.json", `[{"a":1},{"a":`, "unexpected EOF", Options{}},
		{"broken element", "x.json", `[{"a":}]`, "element 1", Options{}},
		{"column twice", "x.csv", "a,a\n", "twice", Options{}},
		{"no header", "x.csv", "", "header", Options{}},
		{"too large", "x.jsonl", strings.Repeat("{\"a\":1}\n", 100), "larger than the bound", Options{MaxBytes: 100}},
		{"too large when it is unpacked", "x.jsonl.gz", compressed(t, "gz", strings.Repeat("{\"a\":1}\n", 1000)), "larger than the bound", Options{MaxBytes: 100}},
		{"archive cut off", "x.jsonl.gz", compressed(t, "gz", strings.Repeat("{\"a\":1}\n", 1000))[:40], "read x.jsonl.gz", Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := all(t, tt.file, tt.content, tt.options)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q", err, tt.want)
			}
		})
	}
	var format *FormatError
	if _, err := all(t, "x.parquet", "", Options{}); !errors.As(err, &format) || format.Format != "parquet" {
		t.Errorf("%v is no FormatError", err)
	}
	if got, err := all(t, "x.jsonl", "{\"a\":1}\n", Options{MaxBytes: 8}); err != nil || len(got) != 1 {
		t.Errorf("a file of just the bound: %v, %v", got, err)
	}
}

func TestGet(t *testing.T) {
	r := Row{Fields: []Field{{"a", []byte("1")}}}
	if v, ok := r.Get("a"); !ok || string(v) != "1" {
		t.Errorf("%s %v", v, ok)
	}
	if _, ok := r.Get("b"); ok {
		t.Error("a column that is not there was found")
	}
}

func FuzzRows(f *testing.F) {
	f.Add("{\"a\":1}\n", "jsonl")
	f.Add("[{\"a\":1}]", "json")
	f.Add("a,b\n1,2\n", "csv")
	f.Fuzz(func(t *testing.T, content, format string) {
		r, err := Open("x", strings.NewReader(content), Options{Format: format, MaxRow: 1000})
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			_, err := r.Next()
			var bad *RowError
			if err != nil && !errors.As(err, &bad) {
				break
			}
			if n > len(content)+1 {
				t.Fatalf("more rows than bytes in %q", content)
			}
		}
		r.Close()
	})
}
