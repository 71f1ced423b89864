package recorder

import (
	"context"
	"strings"
	"testing"
)

// Findings of several runs are taken together. One run whose findings the tables refuse holds back no other, and is taken
// when they accept it.
func TestARunThatCannotBeTakenHoldsBackNoOther(t *testing.T) {
	r := newRig(t).start()
	forbid := func(which string) {
		t.Helper()
		sql := `DROP TRIGGER IF EXISTS refuse`
		if _, err := r.service.d.DB.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
		if which == "" {
			return
		}
		sql = `CREATE TRIGGER refuse BEFORE INSERT ON anomalies WHEN NEW.run LIKE '` + which + `' BEGIN SELECT RAISE(ABORT, 'not this one'); END`
		if _, err := r.service.d.DB.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	forbid("%") // so that all three wait for the same pass
	for _, run := range []string{"run-1", "run-bad", "run-2"} {
		r.write(run, 1, runRecords(t, 20, blowup(12)))
	}
	forbid("%bad")
	runs := func(n int) string {
		var got []string
		for _, m := range r.stream.await(t, n) {
			got = append(got, m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
		}
		return strings.Join(got, " ")
	}
	if got := runs(2); strings.Contains(got, "bad") || !strings.Contains(got, "run-1") || !strings.Contains(got, "run-2") {
		t.Fatalf("taken: %s", got)
	}
	forbid("")
	if got := runs(3); !strings.HasSuffix(got, "run-bad") {
		t.Errorf("taken at last: %s", got)
	}
}
