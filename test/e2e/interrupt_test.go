package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/provenir/provenir/mesh/meshtest"
)

// job is a small run of the tabular engine whose verifier is the test's, and the folder it lies in.
func job(t *testing.T, address string) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range map[string]string{"train.jsonl": string(meshtest.Rows(0, 24, false)), "run.yaml": `algorithm: grpo
model: {tabular: {answers: YWJj}}
engine: {backend: tabular}
seed: 7
hyper:
  max_steps: 12
  optimizer: {lr: 2}
  sampling: {max_tokens: 2, group_size: 4, prompts_per_step: 6}
verifier: {name: remote, options: {target: "` + address + `", verifier: same, timeout: 60}}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, []string{"rl", "--config", "run.yaml", "--dataset", "train.jsonl", "--data", "d"}
}

var rootLine = regexp.MustCompile(`(?m)^ledger root +([0-9a-f]{64})$`)

func root(t *testing.T, out string) string {
	t.Helper()
	m := rootLine.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no ledger root in:\n%s", out)
	}
	return m[1]
}

// The first Ctrl-C finishes the step and saves, exits with 130, and names the command that goes on; that command ends the
// run with the ledger that an undisturbed run has, and the step that was under way is not judged a second time. The second
// Ctrl-C ends the process at once, with its step unfinished, and the run goes on all the same.
func TestInterrupts(t *testing.T) {
	v, address := serveHeld(t)
	dir, args := job(t, address)
	calm := start(t, dir, args...)
	if c := calm.code(); c != 0 {
		t.Fatalf("the undisturbed run exits with %d:\n%s", c, calm.errors())
	}
	want := root(t, calm.out.String())
	if !strings.Contains(calm.out.String(), "\ntook  ") {
		t.Errorf("it does not say how long it took:\n%s", calm.out.String())
	}
	interrupted := func(t *testing.T) (*process, string) {
		dir, args := job(t, address)
		held := v.hold(110) // 24 rows were checked with two or three questions each: this is the second or third step of twelve
		t.Cleanup(v.release)
		p := start(t, dir, args...)
		select {
		case <-held:
		case <-p.done:
			t.Fatalf("it ended before a step was held:\n%s", p.errors())
		}
		p.signal(os.Interrupt)
		p.await("finishing the step under way; Ctrl-C again stops at once")
		return p, dir
	}
	t.Run("once", func(t *testing.T) {
		p, dir := interrupted(t)
		v.release()
		if c := p.code(); c != 130 {
			t.Fatalf("exit %d:\n%s", c, p.errors())
		}
		_, command, said := strings.Cut(strings.TrimSpace(p.errors()), "stopped; go on with: ")
		if !said || p.out.Len() > 0 {
			t.Fatalf("standard output %q, standard error:\n%s", p.out.String(), p.errors())
		}
		v.countAgain()
		again := start(t, dir, strings.Fields(command)[1:]...)
		if c := again.code(); c != 0 {
			t.Fatalf("%s: exit %d:\n%s", command, c, again.errors())
		}
		if got := root(t, again.out.String()); got != want {
			t.Errorf("root %s, undisturbed %s", got, want)
		}
		if twice := v.askedAgain(); len(twice) > 0 {
			t.Errorf("the step was not finished: judged again were %q", twice)
		}
	})
	t.Run("twice", func(t *testing.T) {
		p, dir := interrupted(t)
		p.signal(syscall.SIGINT)
		if c := p.code(); c != 130 { // its step is held: it did not wait for it
			t.Fatalf("exit %d:\n%s", c, p.errors())
		}
		if strings.Contains(p.errors(), "stopped; go on") {
			t.Errorf("it waited for its step:\n%s", p.errors())
		}
		v.release()
		again := start(t, dir, "run", "watch", "@last", "--data", "d")
		if c := again.code(); c != 0 {
			t.Fatalf("exit %d:\n%s", c, again.errors())
		}
		if got := root(t, again.out.String()); got != want {
			t.Errorf("root %s, undisturbed %s", got, want)
		}
	})
}
