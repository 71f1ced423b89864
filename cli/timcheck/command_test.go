package timcheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rows"
)

// checked runs the verb as people do: its lines and its exit code.
func checked(t *testing.T, text string, args ...string) ([]string, int, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app.App{In: strings.NewReader(""), Out: &out, Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", filepath.Join(t.TempDir(), "data"), "tim-check", "--in", file}, args...))
	err := root.ExecuteContext(t.Context())
	return strings.Split(strings.TrimSpace(out.String()), "\n"), app.Code(err), err
}

func row(id, train, inference string) string {
	return fmt.Sprintf(`{"id":%q,"prompt":"p","train_log_probs":%s,"inference_log_probs":%s}`+"\n", id, train, inference)
}

func TestTimCheck(t *testing.T) {
	fine, far := row("a", "[-1,-2,-3]", "[-1,-2,-3]"), row("b", "[-20]", "[-0.01]")
	tests := []struct {
		name, in string
		args     []string
		code     int
		want     string // ids with M or n, or codes of bad rows
	}{
		{"the same", fine, nil, 0, "a:n"},
		{"far apart, and no gate", fine + far, nil, 0, "a:n b:M"},
		{"no id", `{"train_log_probs":[-1],"inference_log_probs":[-1]}`, nil, 0, "line 1:n"},
		{"a gate that holds", fine, []string{"--max-kl", "0.1", "--stage", "production"}, 0, "a:n"},
		{"a gate that warns", far, []string{"--max-kl", "0.1", "--stage", "dev"}, 0, "b:M"},
		{"a gate that blocks", far, []string{"--max-kl", "0.1", "--stage", "Production"}, 1, "b:M"},
		{"release is production", far, []string{"--max-kl", "0.1", "--stage", "RELEASE"}, 1, "b:M"},
		{"production without a limit has the threshold", far, []string{"--stage", "prod"}, 1, "b:M"},
		{"five tokens", row("c", "[-9,-9,-9,-9,-9]", "[-0.1,-0.1,-0.1,-0.1,-0.1]"), []string{"--max-kl", "0.1", "--stage", "prod"}, 1, "c:M"},
		{"a mask of numbers", `{"id":1,"train_log_probs":[-1,-9],"inference_log_probs":[-1,-1],"mask":[1,0]}`, nil, 0, "1:n"},
		{"lengths differ", row("a", "[-1]", "[-1,-2]") + far, nil, 2, "bad_row@1 b:M"},
		{"bad rows that are accepted", row("a", "[-1]", "[-1,-2]") + far, []string{"--keep-going"}, 0, "bad_row@1 b:M"},
		{"only bad rows that are accepted", row("a", "[]", "[]"), []string{"--keep-going"}, 3, "bad_row@1"},
		{"NaN as a text, null", row("a", `["NaN",-1]`, "[-1,-1]") + row("b", "[null]", "[-1]"), nil, 2, "bad_row@1 bad_row@2"},
		{"bare NaN", row("a", "[NaN]", "[-1]") + fine, nil, 2, "bad_row@1 a:n"},
		{"probabilities", row("a", "[0.5]", "[0.5]"), nil, 2, "bad_row@1"},
		{"texts", row("a", `["high"]`, "[-1]"), nil, 2, "bad_row@1"},
		{"a missing column", `{"id":"a","train_log_probs":[-1]}`, nil, 2, "bad_row@1"},
		{"sampled from nowhere", `{"id":"a","train_log_probs":[-1],"inference_log_probs":[-1],"sampled":"maybe"}`, nil, 2, "bad_row@1"},
		{"an id twice", fine + fine, nil, 2, "a:n duplicate_id@2"},
		{"broken JSON", "{\n" + fine, nil, 2, "bad_row@1 a:n"},
		{"a mismatch is told before bad rows", "{\n" + far, []string{"--stage", "prod"}, 1, "bad_row@1 b:M"},
		{"nothing", "", nil, 3, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines, code, err := checked(t, tt.in, append(tt.args, "--json")...)
			if code != tt.code {
				t.Errorf("exit %d (%v), want %d", code, err, tt.code)
			}
			var got []string
			for _, l := range lines[:len(lines)-1] {
				var x struct {
					ID         string
					Mismatched bool
					Error      *problem
				}
				if err := json.Unmarshal([]byte(l), &x); err != nil {
					t.Fatal(err)
				}
				switch {
				case x.Error != nil:
					got = append(got, fmt.Sprintf("%s@%d", x.Error.Code, x.Error.Line))
				case x.Mismatched:
					got = append(got, x.ID+":M")
				default:
					got = append(got, x.ID+":n")
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if !strings.HasPrefix(lines[len(lines)-1], `{"summary":`) {
				t.Errorf("the last line is %s", lines[len(lines)-1])
			}
		})
	}
}

// The summary keeps its order over many chunks, and a weight that no float holds is said and not left out.
func TestManyRows(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		if i == 500 {
			b.WriteString(row("far", "[-0.1]", "[-900]"))
			continue
		}
		b.WriteString(row(fmt.Sprint(i), "[-1,-2]", "[-1,-2]"))
	}
	lines, code, err := checked(t, b.String(), "--json", "--max-kl", "0.01", "--stage", "production")
	if code != 0 || len(lines) != 1001 || !strings.Contains(lines[500], `"id":"far","mismatched":true`) || !strings.Contains(lines[500], `"overflow":["k3"`) {
		t.Errorf("exit %d, %v, %d lines, %s", code, err, len(lines), lines[min(500, len(lines)-1)])
	}
	var last struct {
		Summary struct {
			Rows, Mismatched int
			Estimates        string
			Quantiles        map[string]map[string]any
			Gate             struct{ Open bool }
		}
	}
	if err := json.Unmarshal([]byte(lines[1000]), &last); err != nil {
		t.Fatal(err)
	}
	if s := last.Summary; s.Rows != 1000 || s.Mismatched != 1 || s.Estimates != "kl" || s.Quantiles["k3"]["max"] != "Infinity" || s.Quantiles["k3"]["p99"] != 0.0 || !s.Gate.Open {
		t.Errorf("%+v", s)
	}
}

func TestWrongUse(t *testing.T) {
	fine := row("a", "[-1]", "[-1]")
	for name, args := range map[string][]string{
		"no file": {"--in", "no-such-file"}, "nothing": {"--in", ""}, "a format": {"--in", "x.parquet"}, "a word": {"x"},
		"threshold": {"--threshold", "0"}, "NaN": {"--threshold", "NaN"}, "max-kl": {"--max-kl", "-1"}, "infinite": {"--max-kl", "Inf"},
	} {
		if _, code, err := checked(t, fine, args...); code != 2 || err == nil {
			t.Errorf("%s: exit %d, %v", name, code, err)
		}
	}
	if lines, code, err := checked(t, fine); code != 0 || len(lines) != 3 || !strings.Contains(lines[0], "matches") {
		t.Errorf("as text: exit %d, %v, %q", code, err, lines)
	}
}

func FuzzSequence(f *testing.F) {
	f.Add(row("a", "[-1,null]", `["NaN",-2]`))
	f.Add(`{"mask":[1,true,0],"sampled":"probe"}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, why := sequenceOf(t, text)
		if m != nil && why == nil && (m.GetId() == "" && !strings.Contains(text, "id") || len(m.GetSampled()) > 7) {
			t.Errorf("%v", m)
		}
	})
}

// sequenceOf reads the first row of a text, where it has one.
func sequenceOf(t *testing.T, text string) (*recorderv1.MismatchRow, *problem) {
	t.Helper()
	r, err := rows.Open("-", strings.NewReader(text), rows.Options{})
	if err != nil {
		return nil, nil
	}
	defer r.Close()
	x, err := r.Next()
	if err != nil {
		return nil, nil
	}
	return sequence(&x, map[string]bool{})
}
