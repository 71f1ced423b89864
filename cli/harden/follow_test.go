package harden

import (
	"testing"

	"github.com/provenir/provenir/cli/app"
)

func TestExits(t *testing.T) {
	for verdict, want := range map[string]int{
		"passed": 0, "warned": 0, "valid": 0, "blocked": 1, "spurious": 1, "insufficient": 3, "no_signal": 3, "splendid": 3, "": 3,
	} {
		if got := app.Code(verdictOf(verdict, nil)); got != want {
			t.Errorf("%q: exit %d, want %d", verdict, got, want)
		}
	}
}
