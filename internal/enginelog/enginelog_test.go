package enginelog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Init()
	hungry()
	goleak.VerifyTestMain(m)
}

// all reads a log: rows as line=json, bad rows as line!.
func all(t testing.TB, name string, in io.Reader) ([]string, error) {
	t.Helper()
	r, err := Open(name, in)
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
			out = append(out, fmt.Sprintf("%d!", bad.Line))
		case err != nil:
			return out, err
		default:
			out = append(out, fmt.Sprintf("%d=%s", row.Line, row.JSON))
		}
	}
}

func TestForms(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"empty", "a.jsonl", "", nil},
		{"lines", "a.jsonl", "{\"step\":1}\n\n{\"step\":2,\"kl\":NaN}", []string{`1={"step":1}`, `3={"step":2,"kl":NaN}`}},
		{"lines with a mark", "a.jsonl", "\ufeff{\"step\":1}\n", []string{`1={"step":1}`}},
		{"lines that are called json", "metrics.json", "{\"step\":1}\n{\"step\":2}\n", []string{`1={"step":1}`, `2={"step":2}`}},
		{"an array", "a.json", `[{"step":1},{"step":2,"x":Infinity}]`, []string{`1={"step":1}`, `2={"step":2,"x":"Infinity"}`}},
		{"trainer state", "trainer_state.json", "{\n \"epoch\": 1,\n \"log_history\": [{\"step\":1},{\"step\":2}]\n}", []string{`1={"step":1}`, `2={"step":2}`}},
		{"csv", "a.csv", "step,kl\n1,0.5\n2,\n", []string{`2={"step":"1","kl":"0.5"}`, `3={"step":"2","kl":""}`}},
		{"csv without its name", "-", "kl,step\n0.5,1\n", []string{`2={"kl":"0.5","step":"1"}`}},
		{"console behind talk with commas", "out.log", "2026-01-01 10:00:00,123 INFO a, b\nstep:1 - a/b:0.5\n", []string{`2={"step":1,"a/b":0.5}`}},
		{"console", "out.log", "hello\n(TaskRunner pid=7) step:1 - actor/entropy:0.4 - a/b:np.float64(0.5) - c:nan - d:None\nstep: the next\n",
			[]string{`2={"step":1,"actor/entropy":0.4,"a/b":0.5,"c":"NaN","d":null}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := all(t, tt.file, strings.NewReader(tt.text))
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte("{\"step\":1}\n"))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := all(t, "a.jsonl.gz", &b); err != nil || len(got) != 1 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNoLog(t *testing.T) {
	tests := []struct{ name, file, text string }{
		{"an object that is no state", "config.json", "{\n\"lr\": 1\n}"},
		{"a broken document", "a.json", "[{\"a\":1}"},
		{"parquet", "a.parquet", "PAR1xxxx"},
		{"no gzip", "a.jsonl.gz", "{\"step\":1}\n"},
		{"a header twice", "a.csv", "a,a\n1,2\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f *FormatError
			if got, err := all(t, tt.file, strings.NewReader(tt.text)); !errors.As(err, &f) {
				t.Errorf("got %q, %v; want a FormatError", got, err)
			}
		})
	}
}

func TestALongRowIsOneBadRow(t *testing.T) {
	text := `{"step":1}` + "\n" + `{"x":"` + strings.Repeat("a", MaxRow+10) + `"}` + "\n" + `{"step":3}`
	if got, err := all(t, "a.jsonl", strings.NewReader(text)); err != nil || !slices.Equal(got, []string{`1={"step":1}`, "2!", `3={"step":3}`}) {
		t.Errorf("got %d rows %.60q, %v", len(got), got, err)
	}
}

func TestQuoteNonFinite(t *testing.T) {
	tests := []struct{ in, want string }{
		{`{"a":NaN}`, `{"a":"NaN"}`},
		{`{"a":-Infinity,"b":Infinity}`, `{"a":"-Infinity","b":"Infinity"}`},
		{`{"NaN":"Infinity \" NaN"}`, `{"NaN":"Infinity \" NaN"}`},
		{`{"a":NaNa}`, `{"a":NaNa}`},
		{`{"a":-1}`, `{"a":-1}`},
		{`{"a":"NaN`, `{"a":"NaN`},
	}
	for _, tt := range tests {
		if got, _ := QuoteNonFinite([]byte(tt.in)); string(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

// Valid JSON stays what it was; whatever comes in, nothing hangs or panics.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n", "[{}]", "a,b\n1,2\n", "step:1 - a:2\n", "{\n\"log_history\":[]}", "\ufeff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if out, _ := QuoteNonFinite(in); json.Valid(in) && !bytes.Equal(in, out) {
			t.Errorf("%q became %q", in, out)
		}
		_, _ = all(t, "x", bytes.NewReader(in))
	})
}
