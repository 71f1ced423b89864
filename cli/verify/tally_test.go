package verify

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provenir/provenir/cli/app"
)

func TestExitCode(t *testing.T) {
	yes, no := true, false
	scored := line{Status: "scored", TaskOK: &yes}
	fails := line{Status: "scored", TaskOK: &no}
	bad := line{Error: &lineError{Code: "bad_row"}}
	isolation := line{Status: "unscored", Reason: "isolation_unavailable", Detail: "no T2", TaskOK: &no}
	for _, tt := range []struct {
		name        string
		rows        []line
		check, keep bool
		code        int
	}{
		{"scored", []line{scored}, false, false, 0},
		{"failing is no failure of the verb", []line{fails}, false, false, 0},
		{"the task's own fault", []line{{Status: "unscored", Reason: "bad_reference"}}, false, false, 0},
		{"isolation, all of them", []line{isolation, isolation}, false, false, app.CodeUnchecked},
		{"isolation, one of them", []line{scored, isolation}, false, true, app.CodeUnchecked},
		{"language", []line{{Status: "unscored", Reason: "language_unavailable"}}, false, false, app.CodeUnchecked},
		{"sandbox", []line{{Status: "unscored", Reason: "sandbox_error"}}, false, false, app.CodeUnchecked},
		{"not checked is no failed task", []line{isolation}, true, false, app.CodeUnchecked},
		{"a failed task counts more", []line{isolation, fails}, true, false, app.CodeFails},
		{"a bad row counts most", []line{isolation, fails, bad}, true, false, app.CodeUsage},
		{"unless it is accepted", []line{isolation, bad}, false, true, app.CodeUnchecked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var sum tally
			for i := range tt.rows {
				sum.add(&tt.rows[i], tt.check)
			}
			if got := app.Code(sum.outcome(tt.keep)); got != tt.code {
				t.Errorf("%d, want %d: %v", got, tt.code, sum.outcome(tt.keep))
			}
		})
	}
}

// An interpreter that is not there stands for a machine that cannot judge: the rows have no reward, and the exit code says so.
func TestNothingCouldBeJudged(t *testing.T) {
	t.Setenv("PROVENIR_SANDBOX_PYTHON", "") // the settings below are all that counts
	file := filepath.Join(t.TempDir(), "provenir.yaml")
	if err := os.WriteFile(file, []byte("sandbox:\n  python: "+filepath.Join(t.TempDir(), "python3")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	row := `{"id":"a","response":"def f(): return 1","tests":"assert f() == 1"}` + "\n"
	got, code, err := verify(t, row, "--config-file", file, "--spec", "code", "--in", "-")
	if code != app.CodeUnchecked || err == nil {
		t.Fatalf("%+v, %d, %v", got, code, err)
	}
}

func TestUnsandboxedIsThisProcessesAlone(t *testing.T) {
	_, code, err := verify(t, two, "--server", "127.0.0.1:1", "--spec", "math", "--in", "-", "--allow-unsandboxed")
	var exit app.Exit
	if code != app.CodeUsage || !errors.As(err, &exit) || !strings.Contains(err.Error(), "--allow-unsandboxed") {
		t.Fatalf("%d, %v", code, err)
	}
	if got, code, err := verify(t, two, "--spec", "math", "--in", "-", "--allow-unsandboxed"); code != 0 || len(got) != 2 {
		t.Fatalf("%+v, %d, %v", got, code, err)
	}
}
