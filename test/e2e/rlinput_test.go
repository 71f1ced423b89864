package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tabularRun is a run of three steps over sums with one digit, in a folder of its own.
func tabularRun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"train.jsonl": `{"id":"a","prompt":"what is one and one? ","reference":"2"}` + "\n" + `{"id":"b","prompt":"1+2","reference":"3"}` + "\n",
		"other.jsonl": `{"id":"c","prompt":"2+2","reference":"4"}` + "\n",
		"bad.jsonl":   `{"id":"a","prompt":"1+1","reference":"2"}` + "\n" + `{"id":"b","prompt":"1+2"}` + "\n",
		"run.yaml": `algorithm: grpo
model: {tabular: {answers: MTIzNA==}}
engine: {backend: tabular}
hyper: {max_steps: 3, sampling: {max_tokens: 2, group_size: 4, prompts_per_step: 2}}
verifier: {name: math}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What a dataset has wrong with it reaches the person who called rl: as the exit code, in words, and in the passport.
func TestWhatTheRowsAreReachesPeople(t *testing.T) {
	dir := tabularRun(t)
	rl := func(t *testing.T, code int, args ...string) *process {
		t.Helper()
		p := start(t, dir, append([]string{"rl", "--config", "run.yaml", "--data", "d"}, args...)...)
		if got := p.code(); got != code {
			t.Fatalf("%q: exit %d, want %d:\n%s", args, got, code, p.errors())
		}
		return p
	}
	t.Run("a prompt that passes", func(t *testing.T) {
		p := rl(t, 0, "--dataset", "train.jsonl", "--eval", "other.jsonl", "--quiet")
		if want := "warning: 1 of 2 prompts pass as their own answer (first: row 2); use math:profile=final_answer,form=number or end prompts otherwise\n"; p.errors() != want {
			t.Errorf("standard error:\n%s\nwant %s", p.errors(), want)
		}
	})
	t.Run("rows without a reference", func(t *testing.T) {
		if p := rl(t, 2, "--dataset", "bad.jsonl"); !strings.Contains(p.errors(), "row 2") || !strings.Contains(p.errors(), "[DATASET_INVALID]") {
			t.Errorf("standard error:\n%s", p.errors())
		}
	})
	t.Run("shared rows", func(t *testing.T) {
		p := rl(t, 1, "--dataset", "train.jsonl", "--eval", "train.jsonl")
		if !strings.Contains(p.errors(), "2 rows of the eval set are in the training set") || !strings.Contains(p.errors(), "--allow-contaminated") {
			t.Errorf("standard error:\n%s", p.errors())
		}
		p = rl(t, 0, "--dataset", "train.jsonl", "--eval", "train.jsonl", "--allow-contaminated")
		_, folder, _ := strings.Cut(p.out.String(), "passport verify ")
		words := strings.Fields(folder)
		if len(words) == 0 {
			t.Fatalf("no passport is named:\n%s", p.out.String())
		}
		seen := start(t, dir, "passport", "verify", words[0], "--key", filepath.Join(words[0], "keys", "signer.pem"))
		if c := seen.code(); c != 0 || !strings.Contains(seen.out.String(), "flag raised: contaminated_eval") {
			t.Errorf("exit %d:\n%s", c, seen.out.String())
		}
	})
}
