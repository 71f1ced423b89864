package measure

import (
	"errors"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

func TestVerdictsAreMeasured(t *testing.T) {
	pool, err := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	rows, err := verdicts(t.Context(), pool, 1, 6)
	var isolation *sandbox.IsolationError
	if errors.As(err, &isolation) {
		t.Skip(err)
	}
	if err != nil || len(rows) != 3 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for _, r := range rows {
		if r.Ours <= 0 || r.Ceiling <= 0 {
			t.Errorf("%+v", r)
		}
	}
}
