package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
)

// verify runs the verb as people do and gives its lines and exit code.
func verify(t *testing.T, stdin string, args ...string) ([]line, int, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app.App{In: strings.NewReader(stdin), Out: &out, Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", filepath.Join(t.TempDir(), "data"), "verify"}, args...))
	err := root.ExecuteContext(t.Context())
	return lines(t, out.String()), app.Code(err), err
}

func lines(t *testing.T, out string) []line {
	t.Helper()
	var got []line
	for l := range strings.Lines(out) {
		var x line
		if err := json.Unmarshal([]byte(l), &x); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		got = append(got, x)
	}
	return got
}

// brief is id:reason or id!code@line for each line.
func brief(got []line) string {
	var out []string
	for _, l := range got {
		if l.Error != nil {
			out = append(out, fmt.Sprintf("%s!%s@%d", l.ID, l.Error.Code, l.Error.Line))
			continue
		}
		out = append(out, l.ID+":"+l.Reason)
	}
	return strings.Join(out, " ")
}

const two = `{"id":"a","response":"72","reference":72}` + "\n\n" + `{"id":2,"response":"71","reference":"72"}` + "\n"

func TestEveryFormatIsRead(t *testing.T) {
	dir := t.TempDir()
	var zipped, squeezed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	s, err := zstd.NewWriter(&squeezed)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{z, s} {
		if _, err := w.Write([]byte(two)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"rows.jsonl": two, "rows.ndjson": two, "rows.jsonl.gz": zipped.String(), "rows.jsonl.zst": squeezed.String(),
		"rows.json": `[{"id":"a","response":"72","reference":"72"},{"id":"2","response":"71","reference":"72"}]`,
		"rows.csv":  "id,response,reference\na,72,72\n2,71,72\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, code, err := verify(t, "", "--spec", "math", "--in", file)
			if brief(got) != "a:equal 2:different" || code != 0 {
				t.Errorf("%s, %d, %v", brief(got), code, err)
			}
		})
	}
	t.Run("standard input", func(t *testing.T) {
		if got, code, err := verify(t, two, "--spec", "math", "--in", "-"); brief(got) != "a:equal 2:different" || code != 0 {
			t.Errorf("%s, %d, %v", brief(got), code, err)
		}
	})
}

func TestBadRowsAreNamedByLine(t *testing.T) {
	rows := strings.Join([]string{
		`{"id":"a","response":"72","reference":"72"}`,
		`{"id":"b","response":`,
		``,
		`{"response":"72","reference":"72"}`,
		`{"id":"a","response":"72","reference":"72"}`,
		`{"id":"c","reference":"72"}`,
		`{"id":"d","response":[1],"reference":"72"}`,
		`{"id":"e","id":"f","response":"72"}`,
		`{"id":"g","response":"72","reference":"72","spec":7}`,
		`{"id":"h","response":"72","reference":"72"}`,
	}, "\n")
	const want = "a:equal !bad_row@2 !missing_id@4 a!duplicate_id@5 c!bad_row@6 d!bad_row@7 !duplicate_key@8 g!bad_row@9 h:equal"
	for _, workers := range []string{"1", "9"} {
		if got, code, err := verify(t, rows, "--spec", "math", "--in", "-", "--workers", workers); brief(got) != want || code != 2 {
			t.Errorf("%s, %d, %v\nwant %s", brief(got), code, err, want)
		}
	}
	if got, code, err := verify(t, rows, "--spec", "math", "--in", "-", "--keep-going"); brief(got) != want || code != 0 {
		t.Errorf("with --keep-going: %s, %d, %v", brief(got), code, err)
	}
}

func TestARowMayNameItsSpec(t *testing.T) {
	rows := strings.Join([]string{
		`{"id":"a","response":"X","reference":"x","spec":"exact_answer:case=exact"}`,
		`{"id":"b","response":"X","reference":"x"}`,
		`{"id":"c","response":"X","reference":"x","spec":"mth"}`,
		`{"id":"d","response":"X","reference":"x","spec":"mth"}`,
		`{"id":"e","response":"X","reference":"x","spec":null}`,
		`{"id":"f","response":"2","reference":"1+1","spec":"math"}`,
	}, "\n")
	const want = "a:different b:equal c!unknown_verifier@3 d!unknown_verifier@4 e:equal f:equal"
	if got, code, err := verify(t, rows, "--spec", "exact_answer", "--in", "-"); brief(got) != want || code != 2 {
		t.Errorf("%s, %d, %v\nwant %s", brief(got), code, err, want)
	}
}

func TestCheckTasks(t *testing.T) {
	dataset := `{"prompt":"1+1","reference":"2"}` + "\n" + `{"prompt":"x","reference":"\\frac{"}` + "\n"
	got, code, err := verify(t, dataset, "--spec", "math", "--in", "-", "--check-tasks")
	if code != 1 || len(got) != 2 || got[0].ID != "line-1" || !*got[0].TaskOK || *got[1].TaskOK || got[0].Findings[0].Kind != "echo_passes" {
		t.Errorf("%+v, %d, %v", got, code, err)
	}
}

// A row without an answer of its own was not checked, which is no pass and no failure; a failure beside it counts more.
func TestCheckTasksOfRowsWithoutAnAnswer(t *testing.T) {
	const spec = `json_schema:schema="{}"`
	open := `{"id":"a","prompt":"x","schema":{"type":"object"}}` + "\n"
	got, code, err := verify(t, open, "--spec", spec, "--in", "-", "--check-tasks")
	if code != 3 || len(got) != 1 || got[0].TaskOK != nil || !strings.Contains(err.Error(), "1 rows have no answer of their own") {
		t.Errorf("%+v, %d, %v", got, code, err)
	}
	bad := `{"id":"b","prompt":"x","schema":{"type":"object"},"solution":"no JSON"}` + "\n"
	if got, code, err := verify(t, open+bad, "--spec", spec, "--in", "-", "--check-tasks"); code != 1 {
		t.Errorf("%+v, %d, %v", got, code, err)
	}
}

func TestWrongUse(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "rows.json")
	if err := os.WriteFile(broken, []byte(`[{"id":"a","response":"1","reference":"1"},`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no spec", []string{"--in", "-"}, "--spec"},
		{"no rows", []string{"--spec", "math"}, "--in"},
		{"no such file", []string{"--spec", "math", "--in", filepath.Join(dir, "absent.jsonl")}, "absent"},
		{"a format that is not read", []string{"--spec", "math", "--in", broken + "x"}, "jsonx"},
		{"no workers", []string{"--spec", "math", "--in", "-", "--workers", "0"}, "--workers"},
		{"an unknown verifier", []string{"--spec", "mth", "--in", "-"}, "math"},
		{"an array that does not end", []string{"--spec", "math", "--in", broken}, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a format that is not read" {
				if err := os.WriteFile(broken+"x", nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, code, err := verify(t, `{"id":"a","response":"1","reference":"1"}`, c.args...)
			if code != 2 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d, %v; want %q", code, err, c.want)
			}
		})
	}
}

func TestTheOutputFileIsNotOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "verdicts.jsonl")
	args := []string{"--spec", "math", "--in", "-", "--out", file}
	for i, c := range []struct {
		force bool
		code  int
	}{{false, 0}, {false, 2}, {true, 0}} {
		if c.force {
			args = append(args, "--force")
		}
		if _, code, err := verify(t, two, args...); code != c.code {
			t.Errorf("%d: %d, %v", i, code, err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil || brief(lines(t, string(b))) != "a:equal 2:different" {
		t.Errorf("%s, %v", b, err)
	}
}
