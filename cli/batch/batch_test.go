package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/internal/rows"
)

func shout(_ context.Context, id string, row rows.Row) (any, error) {
	text, err := Text(&row, "text")
	if err != nil {
		return nil, err
	}
	if text == "fatal" {
		return nil, errors.New("the service is away")
	}
	return map[string]string{"id": id, "text": strings.ToUpper(text)}, nil
}

func TestRun(t *testing.T) {
	tests := []struct {
		name, in string
		keep     bool
		want     string // ids or codes
		code     int
	}{
		{"all good", `{"id":"a","text":"x"}` + "\n" + `{"id":2,"text":"<y>"}`, false, "a 2", 0},
		{"bad rows", `{"id":"a","text":"x"}` + "\n{\n" + `{"text":"x"}` + "\n" + `{"id":"a","text":"x"}` + "\n" + `{"id":"b","text":1}` + "\n" + `{"id":"c"}`, false,
			"a bad_row@2 missing_id@3 duplicate_id@4 bad_row@5 bad_row@6", 2},
		{"bad rows, going on", "{\n", true, "bad_row@1", 0},
		{"a key twice", `{"id":"a","id":"b","text":"x"}`, true, "duplicate_key@1", 0},
		{"nothing", "", false, "", 0},
	}
	for _, tt := range tests {
		for _, workers := range []int{1, 7} {
			t.Run(fmt.Sprint(tt.name, workers), func(t *testing.T) {
				var out bytes.Buffer
				a := &app.App{In: strings.NewReader(tt.in), Out: &out, Err: &bytes.Buffer{}}
				o := Options{In: "-", Out: "-", KeepGoing: tt.keep, Workers: workers}
				err := o.Run(t.Context(), a, shout)
				if app.Code(err) != tt.code {
					t.Errorf("%v gives %d, want %d", err, app.Code(err), tt.code)
				}
				var got []string
				for l := range strings.Lines(out.String()) {
					var line struct {
						ID    string
						Error *problem
					}
					if err := json.Unmarshal([]byte(l), &line); err != nil {
						t.Fatal(err)
					}
					if line.Error != nil {
						got = append(got, fmt.Sprintf("%s@%d", line.Error.Code, line.Error.Line))
					} else {
						got = append(got, line.ID)
					}
				}
				if strings.Join(got, " ") != tt.want {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		}
	}
}

func TestOrderAndFiles(t *testing.T) {
	dir := t.TempDir()
	var in strings.Builder
	for i := range 500 {
		fmt.Fprintf(&in, "{\"id\":\"%d\",\"text\":\"x\"}\n", i)
	}
	path := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(path, []byte(in.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app.App{Err: &bytes.Buffer{}}
	o := Options{In: path, Out: filepath.Join(dir, "out.jsonl"), Workers: 16}
	if err := o.Run(t.Context(), a, shout); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if !strings.Contains(l, fmt.Sprintf(`"id":"%d"`, i)) {
			t.Fatalf("line %d is %s", i, l)
		}
	}
	if err := o.Run(t.Context(), a, shout); app.Code(err) != 2 {
		t.Errorf("an output that is there: %v", err)
	}
	if o.In = filepath.Join(dir, "none.jsonl"); app.Code(o.Run(t.Context(), a, shout)) != 2 {
		t.Error("an input that is not there is no wrong use")
	}
}

func TestAFaultEndsTheRun(t *testing.T) {
	a := &app.App{In: strings.NewReader(`{"id":"a","text":"fatal"}` + "\n" + `{"id":"b","text":"x"}`), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}
	o := Options{In: "-", Out: "-", Workers: 2}
	if err := o.Run(t.Context(), a, shout); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("%v", err)
	}
}
