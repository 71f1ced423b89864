package code

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

var passedLine = regexp.MustCompile(`(\d+) passed`)

// TestPytestAgrees: on candidates that mean well, our runner passes as many tests as pytest itself, where it is installed.
func TestPytestAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("starts pytest once a case")
	}
	if err := exec.Command("python3", "-m", "pytest", "--version").Run(); err != nil {
		t.Skipf("the Python of PATH has no pytest: %v", err)
	}
	run := On(pool(t, sandbox.T2))
	v := verifier(t, run, map[string]any{"task": "pytest"})
	for _, tt := range pytestCases() {
		if tt.reason == "tampered" || tt.name == "the candidate raises SkipTest" {
			continue // there the two differ, and are meant to
		}
		t.Run(tt.name, func(t *testing.T) {
			j := v.JudgeContext(t.Context(), &verdict.Candidate{Response: "```python\n" + tt.code + "\n```", Row: verdict.Row{{Key: "tests", JSON: column(tt.tests)}}})
			passed, _, _ := count(j.Tests)
			if want := pytestPasses(t, tt.code, tt.tests); passed != want {
				t.Errorf("%d tests passed, with pytest %d: %s", passed, want, show(&j))
			}
		})
	}
}

func pytestPasses(t *testing.T, code, tests string) int {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"solution.py": code, "test_it.py": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "--noconftest", "test_it.py")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	m := passedLine.FindSubmatch(out)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
