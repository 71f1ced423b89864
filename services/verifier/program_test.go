package verifier

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/task"
)

// isolated skips where this machine isolates too little to run programs at all.
func isolated(t *testing.T, c verifierv1.VerifierServiceClient) {
	t.Helper()
	r, err := c.GetIsolationReport(t.Context(), &verifierv1.GetIsolationReportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetReport().GetTier() < r.GetReport().GetMinTier() {
		t.Skipf("this machine isolates at T%d: %v", r.GetReport().GetTier(), r.GetReport().GetRemedies())
	}
	if len(r.GetReport().GetProbes()) < 10 || len(r.GetReport().GetLayers()) < 5 {
		t.Errorf("report %v", r.GetReport())
	}
}

// programRollout is a rollout whose row has columns for the verifier of code.
func programRollout(t *testing.T, id, response string, columns map[string]any) []byte {
	t.Helper()
	m := &corev1.Rollout{RolloutId: id, Segments: []*corev1.Segment{{Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: []byte(response)}}}
	for _, key := range []string{"entry_point", "hidden_tests", "tests"} { // sorted
		if v, ok := columns[key]; ok {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			m.Columns = append(m.Columns, &corev1.Column{Key: key, Json: b})
		}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Programs in the pump of a run: each is judged in the sandbox, hidden tests come back as the held-out verdict of the same
// job, and a program that never ends is scored within its own limit.
func TestProgramsInThePump(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	isolated(t, c)
	spec := specFor(t, "code", map[string]any{"timeout": 1.0})
	for name, h := range map[string]*verifierv1.Holdout{"no spec": {Seed: 1}, "the spec itself": {Seed: 1, Spec: spec}} {
		t.Run(name, func(t *testing.T) { pumpPrograms(t, c, spec, h) })
	}
}

func pumpPrograms(t *testing.T, c verifierv1.VerifierServiceClient, spec *verifierv1.Spec, h *verifierv1.Holdout) {
	t.Helper()
	stream, opened := open(t.Context(), t, c, &verifierv1.OpenVerify{Protocol: 1, RunId: t.Name(), Spec: spec, Holdout: h, Deadline: durationpb.New(30 * time.Second)})
	if opened.GetHeldoutFraction() != 1 {
		t.Fatalf("hidden tests cost next to nothing, yet %v of rollouts have them", opened.GetHeldoutFraction())
	}
	row := map[string]any{"tests": []string{"assert f(1) == 2"}, "hidden_tests": []string{"assert f(5) == 6"}, "entry_point": "f"}
	programs := []string{"def f(x): return x + 1", "def f(x): return 2", "def f(x):\n  while True: pass", "import os\nos._exit(0)"}
	var list [][]byte
	for i, p := range programs {
		list = append(list, programRollout(t, string(rune('a'+i)), p, row))
	}
	if err := stream.Send(items(list...)); err != nil {
		t.Fatal(err)
	}
	got, held := collect(t, stream, 4, 4)
	for i, want := range []struct {
		reason  string
		passed  bool
		heldout bool
	}{{"ok", true, true}, {"ok", true, false}, {"timeout", false, false}, {"tampered", false, false}} {
		var v, h corev1.Verdict
		if err := proto.Unmarshal(got[uint64(i+1)].GetVerdict(), &v); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(held[uint64(i+1)].GetVerdict(), &h); err != nil {
			t.Fatal(err)
		}
		reason := v.GetReason()
		if reason == "cpu_limit" { // a loop meets either limit first, of the clock or of the processor: both are one second
			reason = "timeout"
		}
		if reason != want.reason || v.GetScored().GetPassed() != want.passed || h.GetScored().GetPassed() != want.heldout {
			t.Errorf("%s: %v, held out %v", programs[i], &v, &h)
		}
		if v.GetExecution().GetTier() < 2 {
			t.Errorf("%s ran at %v", programs[i], v.GetExecution())
		}
		if m := got[uint64(i+1)].GetMeasured(); m.GetWall().AsDuration() <= 0 || len(m.GetStdout()) > 0 {
			t.Errorf("%s: measured %v", programs[i], m)
		}
		special := slices.ContainsFunc(h.GetFindings(), func(f *corev1.Finding) bool { return f.GetKind() == "special_cased" })
		if special != (i == 1) {
			t.Errorf("%s: findings %v", programs[i], h.GetFindings())
		}
	}
}

func TestProgramsInABatch(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	isolated(t, c)
	first := row("a", "print(input()[::-1])", `{"stdin":"abc\n","expected_stdout":"cba\n"}`)
	first.Spec = specFor(t, "code", map[string]any{"task": "stdio"})
	got, err := batch(t, c, first, row("b", "print('abc')", `{"stdin":"abc\n","expected_stdout":"cba\n"}`), row("c", "print(1)", `{"stdin":""}`))
	if err != nil {
		t.Fatal(err)
	}
	if v := got[0].GetVerdict(); !v.GetScored().GetPassed() || v.GetExecution().GetTestsRun() != 1 {
		t.Errorf("%v", got[0])
	}
	if v := got[1].GetVerdict(); v.GetReason() != "wrong_answer" || string(got[1].GetMeasured().GetStdout()) == "" {
		t.Errorf("%v", got[1])
	}
	if got[2].GetVerdict().GetUnscored() == nil {
		t.Errorf("a row without tests has a score: %v", got[2])
	}
}

func TestRunCode(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	isolated(t, c)
	r, err := c.RunCode(t.Context(), &verifierv1.RunCodeRequest{Source: []byte("import sys\nprint(input() + '!')\nsys.exit(3)"), Stdin: []byte("hi\n")})
	if err != nil || string(r.GetStdout()) != "hi!\n" || r.GetExecution().GetExitCode() != 3 || !r.GetCompiled() || r.GetWall().AsDuration() <= 0 {
		t.Errorf("%v, %v", r, err)
	}
	r, err = c.RunCode(t.Context(), &verifierv1.RunCodeRequest{Source: []byte("while True: pass"), Timeout: durationpb.New(300 * time.Millisecond)})
	if err != nil || r.GetExecution().GetLimit() != "timeout" {
		t.Errorf("%v, %v", r, err)
	}
	r, err = c.RunCode(t.Context(), &verifierv1.RunCodeRequest{Source: []byte("open('out', 'w').write(open('in/a').read() * 2)"),
		Files: []*verifierv1.RunFile{{Path: "in/a", Content: []byte("ab")}}, FetchFiles: []string{"out", "none"}, CompileTimeout: durationpb.New(time.Minute)})
	if f := r.GetFiles(); err != nil || len(f) != 2 || string(f[0].GetContent()) != "abab" || f[0].GetMissing() != "" || f[1].GetMissing() == "" {
		t.Errorf("%v, %v", r, err)
	}
	for name, bad := range map[string]*verifierv1.RunCodeRequest{
		"language": {Source: []byte("x"), Language: "cobol"}, "timeout": {Source: []byte("x"), Timeout: durationpb.New(-1)},
		"compile_timeout": {Source: []byte("x"), CompileTimeout: durationpb.New(1)}, "source": {},
		"file": {Source: []byte("x"), Files: []*verifierv1.RunFile{{Path: "../x"}}}, "fetched file": {Source: []byte("x"), FetchFiles: []string{"/etc/passwd"}}, "memory": {Source: []byte("x"), MemoryMb: 1},
	} {
		if r, err := c.RunCode(t.Context(), bad); err == nil {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// The pack of small functions is what a built-in policy may learn code on: its demonstrations pass, its degenerate answers
// do not, hidden tests included.
func TestTheCodePack(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	isolated(t, c)
	p, err := task.Lookup("code_functions")
	if err != nil {
		t.Fatal(err)
	}
	var rows []*verifierv1.VerifyBatchRequest
	var right []bool
	for _, d := range []int{1, 5, 10} {
		for index := range uint64(8) {
			i, err := p.Instance(3, index, task.Setting{Difficulty: d})
			if err != nil {
				t.Fatal(err)
			}
			for n, response := range append([]string{i.Completion}, p.Degenerate(i)...) {
				rows = append(rows, row(fmt.Sprintf("%d.%d.%d", d, index, n), response, i.Row))
				right = append(right, n == 0)
			}
		}
	}
	rows[0].Spec = specFor(t, "code", map[string]any{"task": "func"})
	got, err := batch(t, c, rows...)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range got {
		visible, hidden := m.GetVerdict().GetScored().GetPassed(), m.GetHeldout().GetScored().GetPassed()
		if right[i] && !(visible && hidden) || !right[i] && visible && hidden {
			t.Errorf("%s: %v, held out %v\n%s", m.GetId(), m.GetVerdict(), m.GetHeldout(), rows[i].GetRow().GetResponse())
		}
	}
}

// A candidate must meet its own limit before it meets the deadline.
func TestALimitBeyondTheDeadlineIsRefused(t *testing.T) {
	c, _ := serve(t, Config{}, Deps{})
	for seconds, refused := range map[float64]bool{8: false, 8.5: true} {
		stream, err := c.VerifyRollouts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		o := &verifierv1.OpenVerify{Protocol: 1, RunId: "run", Spec: specFor(t, "code", map[string]any{"timeout": seconds}), Deadline: durationpb.New(10 * time.Second)}
		if err := stream.Send(opening(o)); err != nil {
			t.Fatal(err)
		}
		m, err := stream.Recv()
		if (err != nil) != refused {
			t.Errorf("timeout %v: %v, %v", seconds, m, err)
		}
	}
}
