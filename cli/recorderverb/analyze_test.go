package recorderverb

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
)

// analyzed runs the verb as people do: its lines and its exit code.
func analyzed(t *testing.T, text string, args ...string) ([]string, int, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app.App{In: strings.NewReader(""), Out: &out, Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", filepath.Join(t.TempDir(), "data"), "recorder", "analyze", "--in", file}, args...))
	err := root.ExecuteContext(t.Context())
	var lines []string
	for l := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(l, "\n"))
	}
	return lines, app.Code(err), err
}

func healthy(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"step\":%d,\"kl\":0.0%d,\"entropy\":1.4}\n", i, 2+i%2)
	}
	return b.String()
}

func TestAnalyze(t *testing.T) {
	tests := []struct {
		name, text string
		args       []string
		code       int
		verdict    string
		lines      int
	}{
		{"healthy", healthy(30), nil, 0, "healthy", 1},
		{"an infinite KL", healthy(30) + `{"step":30,"kl":Infinity,"entropy":1.4}`, nil, 1, "critical", 2},
		{"nothing", "", nil, 3, "insufficient", 1},
		{"a bad row", healthy(30) + "{\n", nil, 2, "healthy", 2},
		{"a bad row that is accepted", healthy(30) + "{\n", []string{"--keep-going"}, 0, "healthy", 2},
		{"a kind that is not wanted", healthy(30) + `{"step":30,"kl":Infinity,"entropy":1.4}`, []string{"--disable", "non_finite"}, 0, "healthy", 1},
		{"a held-out key that no row has", healthy(30), []string{"--heldout", "reward/F"}, 3, "healthy", 1},
		{"a paid key that no row has", healthy(30), []string{"--proxy", "reward/G"}, 3, "healthy", 1},
		{"a key that no row has, in a log that is critical", healthy(30) + `{"step":30,"kl":Infinity,"entropy":1.4}`, []string{"--heldout", "x"}, 1, "critical", 2},
		{"a held-out key that some rows have", healthy(30) + `{"step":30,"kl":0.02,"entropy":1.4,"mine":0.5}`, []string{"--heldout", "mine"}, 0, "healthy", 1},
		{"a longer log than a frame", healthy(2000), nil, 0, "healthy", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines, code, err := analyzed(t, tt.text, append(tt.args, "--json")...)
			if code != tt.code || len(lines) != tt.lines {
				t.Fatalf("exit %d (%v), lines %q; want %d with %d lines", code, err, lines, tt.code, tt.lines)
			}
			var last struct {
				Verdict   string   `json:"verdict"`
				Unchecked []string `json:"unchecked"`
			}
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Verdict != tt.verdict {
				t.Errorf("last line %s: %v", lines[len(lines)-1], err)
			}
		})
	}
}

// A text that holds no row is no log of zero steps.
func TestATextWithoutRows(t *testing.T) {
	for name, text := range map[string]string{"words": "garbage\n", "talk of a program": "loading\nstep: the next\n\n", "bytes": "\x00\x01\xff\n"} {
		lines, code, err := analyzed(t, text)
		if code != 2 || err == nil || !strings.Contains(err.Error(), "lines is a row") {
			t.Errorf("%s: exit %d, %v, %q", name, code, err, lines)
		}
	}
}

func TestWrongUse(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no such engine", []string{"--engine", "jax"}, "skyrl"},
		{"a limit that is no number", []string{"--limit", "kl_max=high"}, "kl_max"},
		{"a limit with something behind it", []string{"--limit", "kl_max=1x"}, "kl_max"},
		{"a range that cannot be", []string{"--reward-range", "-1"}, "reward_range"},
		{"a limit that nobody knows", []string{"--limit", "kl_maximum=1"}, "kl_maximum"},
		{"a limit that cannot be", []string{"--limit", "kl_max=-1"}, "kl_max"},
		{"a kind that nobody knows", []string{"--disable", "kl"}, "kl_blowup"},
		{"a severity", []string{"--fail-on", "error"}, "--fail-on"},
		{"a coefficient", []string{"--kl-coefficient", "-1"}, "kl_coefficient"},
		{"a file that is not there", []string{"--in", "no-such-file"}, "no-such-file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines, code, err := analyzed(t, healthy(10), tt.args...)
			if code != 2 || err == nil || !strings.Contains(err.Error(), tt.want) || len(lines) != 0 {
				t.Errorf("exit %d, %v, lines %q", code, err, lines)
			}
		})
	}
}
