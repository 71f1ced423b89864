package verifier

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rpc"
)

func as(t testing.TB, tenant string) context.Context {
	t.Helper()
	return identity.NewContext(t.Context(), identity.Caller{Tenant: tenant, Name: "somebody", Role: corev1.Role_ROLE_ENGINEER})
}

func starlark(program, response string) *verifierv1.VerifyRequest {
	s, err := structpb.NewStruct(map[string]any{"program": program})
	if err != nil {
		panic(err)
	}
	return &verifierv1.VerifyRequest{Spec: &verifierv1.Spec{Name: "starlark", Options: s}, Candidate: &verifierv1.Candidate{RolloutId: "r", Response: []byte(response), RowJson: []byte(`{"n":3}`)}}
}

// A program of another tenant runs in a process of its own, with the digest and the verdict that it has in ours; one that wants more
// memory than there is dies with that process.
func TestProgramsOfOtherTenantsRunApart(t *testing.T) {
	c, s := serve(t, Config{}, Deps{})
	isolated(t, c)
	const honest = `def verify(row): return {"reward": 0.5, "passed": True, "reason": "half"} if row["response"] == "x" else row["n"] / 4`
	for _, response := range []string{"x", "y"} {
		ours, err := s.Verify(as(t, identity.DefaultTenant), starlark(honest, response))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := s.Verify(as(t, "acme"), starlark(honest, response))
		if err != nil {
			t.Fatal(err)
		}
		a, b := ours.GetVerdict(), theirs.GetVerdict()
		if a.GetScored() == nil || a.GetReason() != b.GetReason() || a.GetScored().GetReward() != b.GetScored().GetReward() || !bytes.Equal(a.GetVerifierDigest(), b.GetVerifierDigest()) {
			t.Errorf("ours %v\ntheirs %v", a, b)
		}
	}
	greedy := starlark(`def verify(row): return len("x" * (1 << 29)) > 0`, "")
	for range 2 {
		got, err := s.Verify(as(t, "acme"), greedy)
		if u := got.GetVerdict().GetUnscored(); err != nil || u.GetReason() != corev1.UnscoredReason_UNSCORED_REASON_BAD_SPEC || !strings.Contains(u.GetDetail(), "256 MiB") {
			t.Fatalf("%v, %v", got, err)
		}
		if got, err := s.Verify(as(t, "acme"), starlark(honest, "x")); err != nil || !got.GetVerdict().GetScored().GetPassed() {
			t.Fatalf("the next program suffers: %v, %v", got, err)
		}
	}
	for _, program := range []string{"x = \"x\" * (1 << 29)\ndef verify(row): return True", "def verify(row: return 1", "def other(row): return 1"} {
		if _, err := s.Verify(as(t, "acme"), starlark(program, "")); rpc.Reason(err) != "PROGRAM_INVALID" {
			t.Errorf("%.40q: %v", program, err)
		}
	}
	late, err := s.Verify(as(t, "acme"), starlark("def verify(row):\n  x = [0] * 1000\n  while True:\n    x = sorted(x)", ""))
	if u := late.GetVerdict().GetUnscored(); err != nil || u.GetReason() == corev1.UnscoredReason_UNSCORED_REASON_UNSPECIFIED {
		t.Errorf("%v, %v", late, err)
	}
}

// A comparison runs in this process: it is the default tenant's alone.
func TestComparisonsOfOtherTenantsAreRefused(t *testing.T) {
	_, s := serve(t, Config{}, Deps{})
	options, err := structpb.NewStruct(map[string]any{"task": "stdio", "compare": "starlark", "program": "def compare(stdout, expected, stdin): return True"})
	if err != nil {
		t.Fatal(err)
	}
	m := &verifierv1.Spec{Name: "code", Options: options}
	if _, err := s.compiled.get(m); err != nil {
		t.Errorf("ours: %v", err)
	}
	if _, err := s.others.get(m); rpc.Reason(err) != "BAD_SPEC" {
		t.Errorf("theirs: %v", err)
	}
}

// The default tenant's programs stay where they are: no process is started for them.
func TestOwnProgramsStay(t *testing.T) {
	_, s := serve(t, Config{}, Deps{})
	if s.specs(as(t, identity.DefaultTenant)) != s.compiled || s.specs(t.Context()) != s.compiled || s.specs(as(t, "acme")) != s.others {
		t.Error("another tenant's programs run with ours")
	}
}
