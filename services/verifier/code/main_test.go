package code

import (
	"errors"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	goleak.VerifyTestMain(m)
}

// pool makes one of the tier, or skips with the reason where the machine does not offer it.
func pool(t testing.TB, tier sandbox.Tier) *sandbox.Pool { return poolOf(t, tier, 2) }

func poolOf(t testing.TB, tier sandbox.Tier, slots int) *sandbox.Pool {
	t.Helper()
	p, err := sandbox.New(sandbox.Config{MinTier: tier, MaxTier: tier, PoolSize: slots, AllowUnsandboxed: tier < sandbox.T2, GVisor: os.Getenv("PROVENIR_RUNSC")}, sandbox.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	var isolation *sandbox.IsolationError
	_, err = p.Run(t.Context(), sandbox.Job{Source: "pass"})
	switch {
	case err == nil:
	case errors.Is(err, sandbox.ErrLanguage), errors.As(err, &isolation) && (len(isolation.Report.Probes) == 0 || isolation.Report.Tier >= sandbox.T2):
		t.Skipf("this machine does not offer %v: %v", tier, err)
	default:
		t.Fatalf("at %v: %v", tier, err)
	}
	return p
}

func verifier(t testing.TB, run Runner, options map[string]any) *Verifier {
	t.Helper()
	d := Descriptor()
	values, err := d.Resolve(Name, options)
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(Name, values, run)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
