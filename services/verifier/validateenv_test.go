package verifier

import (
	"errors"
	"io"
	"testing"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

func validated(t *testing.T, c verifierv1.VerifierServiceClient, target string) *verifierv1.EnvironmentReport {
	t.Helper()
	stream, err := c.ValidateEnvironment(t.Context(), &verifierv1.ValidateEnvironmentRequest{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r := m.GetReport(); r != nil {
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("after the report: %v", err)
			}
			return r
		}
	}
}

func TestOurEnvironmentsHoldTheRules(t *testing.T) {
	c, s := serve(t, Config{}, Deps{})
	for _, e := range s.envs.all {
		r := validated(t, c, e.Name)
		if !r.GetPassed() || len(r.GetRules()) < 14 {
			t.Errorf("%s: %v", e.Name, r)
		}
	}
	if n := len(s.envs.slots); n != 0 {
		t.Errorf("%d slots are taken", n)
	}
	// Where there is no room for the rule, it was not tried, and nothing passes.
	small, _ := serve(t, Config{Episodes: 4}, Deps{})
	r := validated(t, small, "lookup")
	unchecked := 0
	for _, rule := range r.GetRules() {
		if rule.GetState() == "unchecked" {
			unchecked++
		} else if rule.GetState() != "held" {
			t.Errorf("%v", rule)
		}
	}
	if r.GetPassed() || unchecked != 1 {
		t.Errorf("%v", r)
	}
}

// The examples in Starlark and in Python hold the rules as the built-in environments do.
func TestExampleEnvironmentsHoldTheRules(t *testing.T) {
	c, s := serve(t, Config{Environments: []string{"../../examples/env-starlark", "../../examples/env-python"}}, Deps{})
	var isolation *sandbox.IsolationError
	_, err := s.sandbox.Run(t.Context(), sandbox.Job{Source: "pass"})
	for _, name := range []string{"warehouse", "orders"} {
		if name == "orders" && (errors.Is(err, sandbox.ErrLanguage) || errors.As(err, &isolation)) {
			t.Skipf("no sandbox here: %v", err)
		}
		if r := validated(t, c, name); !r.GetPassed() || len(r.GetRules()) < 14 {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func TestAFolderThatIsNoEnvironment(t *testing.T) {
	for _, folders := range [][]string{{t.TempDir()}, {"../../examples/env-starlark", "../../examples/env-starlark"}} {
		if s, err := New(Config{Environments: folders}, Deps{}); err == nil {
			t.Errorf("%v: %v", folders, s)
		}
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	for _, target := range []string{"chess", "ftp://x", "http://"} {
		stream, err := c.ValidateEnvironment(t.Context(), &verifierv1.ValidateEnvironmentRequest{Target: target})
		if err == nil {
			_, err = stream.Recv()
		}
		if rpc.Reason(err) != "INVALID_ARGUMENT" {
			t.Errorf("%s: %v", target, err)
		}
	}
}
