package verifier

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// venv makes a virtual environment whose interpreter can be replaced.
func venv(t *testing.T) string {
	t.Helper()
	installed, err := filepath.EvalSymlinks("/usr/bin/python3")
	if err != nil {
		t.Skip(err)
	}
	b, err := os.ReadFile(installed)
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "provenir-venv-") //nolint:usetesting // t.TempDir is closed to the sandbox's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	python := filepath.Join(dir, "bin", "python3")
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.Mkdir(filepath.Dir(python), 0o755), os.WriteFile(python, b, 0o755),
		os.WriteFile(filepath.Join(dir, "pyvenv.cfg"), []byte("home = "+filepath.Dir(installed)+"\n"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return python
}

// An interpreter that is replaced in the middle of a run is a finding in each verdict after it, under the digest of what
// really judged; a run that begins then begins with that digest.
func TestAnInterpreterThatIsReplaced(t *testing.T) {
	python := venv(t)
	c, _ := serve(t, Config{Sandbox: sandbox.Config{Python: python}}, Deps{})
	isolated(t, c)
	spec := specFor(t, "code", nil)
	ask := &verifierv1.OpenVerify{Protocol: 1, RunId: "a", Spec: spec, Deadline: durationpb.New(30 * time.Second)}
	stream, opened := open(t.Context(), t, c, ask)
	columns := map[string]any{"tests": "assert f(1) == 2", "entry_point": "f"}
	verdictOf := func(id string, seq uint64) *corev1.Verdict {
		t.Helper()
		list := items(programRollout(t, id, "def f(x): return x + 1", columns))
		list.GetItems().GetItems()[0].Seq = seq
		if err := stream.Send(list); err != nil {
			t.Fatal(err)
		}
		var v corev1.Verdict
		for {
			m, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if got := m.GetVerdicts().GetItems(); len(got) > 0 {
				if err := proto.Unmarshal(got[0].GetVerdict(), &v); err != nil {
					t.Fatal(err)
				}
				return &v
			}
		}
	}
	changed := func(v *corev1.Verdict) bool {
		return slices.ContainsFunc(v.GetFindings(), func(f *corev1.Finding) bool {
			return f.GetKind() == "verifier_changed" && f.GetSeverity() == corev1.Severity_SEVERITY_CRITICAL
		})
	}
	before := verdictOf("a", 1)
	if !before.GetScored().GetPassed() || changed(before) || string(before.GetVerifierDigest()) != string(opened.GetVerifierDigest()) {
		t.Fatalf("%v", before)
	}
	b, err := os.ReadFile(python)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(python+".new", append(b, "more"...), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(python+".new", python); err != nil {
		t.Fatal(err)
	}
	after := verdictOf("b", 2)
	if !after.GetScored().GetPassed() || !changed(after) || string(after.GetVerifierDigest()) == string(opened.GetVerifierDigest()) {
		t.Errorf("%v", after)
	}
	ask.RunId = "b"
	var again *verifierv1.VerifyOpened
	if stream, again = open(t.Context(), t, c, ask); string(again.GetVerifierDigest()) != string(after.GetVerifierDigest()) {
		t.Errorf("a new run begins with %x, verdicts have %x", again.GetVerifierDigest(), after.GetVerifierDigest())
	}
	if v := verdictOf("c", 1); !v.GetScored().GetPassed() || changed(v) {
		t.Errorf("%v", v)
	}
}
