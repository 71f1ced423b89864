package code

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// fake is a sandbox that gives what it is told. It counts what is asked of it.
type fake struct {
	result  sandbox.Result
	load    sandbox.Load
	answers []sandbox.Answer
	judged  sandbox.Judged
	errs    []error // of the first calls
	opened  int
}

func (f *fake) fail() error {
	f.opened++
	if len(f.errs) < f.opened {
		return nil
	}
	return f.errs[f.opened-1]
}

func (f *fake) Run(context.Context, sandbox.Job) (sandbox.Result, error) { return f.result, f.fail() }

func (f *fake) Open(context.Context, sandbox.Job) (Session, sandbox.Load, error) {
	return &fakeSession{f, 0}, f.load, f.fail()
}

func (f *fake) Judge(context.Context, sandbox.Job, *sandbox.Suite) (sandbox.Judged, error) {
	return f.judged, f.fail()
}

type fakeSession struct {
	f *fake
	n int
}

func (s *fakeSession) Call(string, plain.Tuple, plain.Dict) sandbox.Answer {
	s.n++
	if s.n > len(s.f.answers) {
		return sandbox.Answer{Gone: true}
	}
	return s.f.answers[s.n-1]
}

func (s *fakeSession) Close(*sandbox.Raised, bool) (sandbox.Result, error) { return s.f.result, nil }

func answer(v plain.Value) sandbox.Answer { return sandbox.Answer{Value: v} }

func TestVerdicts(t *testing.T) {
	two := []sandbox.Answer{answer(int64(1)), answer(int64(2))}
	tests := []struct {
		name    string
		fake    fake
		options map[string]any
		reward  float64
		reason  string
		finding string
	}{
		{name: "all", fake: fake{answers: two}, reward: 1, reason: "ok"},
		{name: "half", fake: fake{answers: []sandbox.Answer{answer(int64(1)), answer(int64(3))}}, reward: 0.5, reason: "wrong_answer"},
		{name: "half without partial", fake: fake{answers: []sandbox.Answer{answer(int64(1)), answer(int64(3))}}, options: map[string]any{"partial": "off"}, reason: "wrong_answer"},
		{name: "raises", fake: fake{answers: []sandbox.Answer{answer(int64(1)), {Raised: &sandbox.Raised{Name: "ValueError"}}}}, reward: 0.5, reason: "runtime_error"},
		{name: "exits", fake: fake{answers: []sandbox.Answer{answer(int64(1)), {Raised: &sandbox.Raised{Name: "SystemExit"}}}}, reason: "tampered", finding: earlyExit},
		{name: "exits by a subclass", fake: fake{answers: []sandbox.Answer{answer(int64(1)), {Raised: &sandbox.Raised{Name: "Bye", Base: "SystemExit"}}}}, reason: "tampered", finding: earlyExit},
		{name: "skips", fake: fake{answers: []sandbox.Answer{answer(int64(1)), {Raised: &sandbox.Raised{Name: "SkipTest"}}}}, reason: "tampered", finding: skippedTests},
		{name: "leaves", fake: fake{answers: two[:1]}, reason: "tampered", finding: earlyExit},
		{name: "crashes", fake: fake{answers: two[:1], result: sandbox.Result{Signal: 11}}, reward: 0.5, reason: "runtime_error"},
		{name: "is too slow", fake: fake{answers: two[:1], result: sandbox.Result{Signal: 9, Limit: sandbox.Timeout}}, reward: 0.5, reason: "timeout", finding: "time_dependent"},
		{name: "takes too much", fake: fake{answers: two[:1], result: sandbox.Result{Signal: 9, Limit: sandbox.MemoryLimit}}, reward: 0.5, reason: "memory_limit"},
		{name: "violates", fake: fake{answers: two[:1], result: sandbox.Result{Signal: 31, Limit: sandbox.SecurityViolation}}, reason: "security_violation", finding: "security_violation"},
		{name: "violates after all", fake: fake{answers: two, result: sandbox.Result{Signal: 31, Limit: sandbox.SecurityViolation}}, reason: "security_violation"},
		{name: "object", fake: fake{answers: []sandbox.Answer{answer(int64(1)), answer(plain.Object{ID: 1, Type: "E"})}}, reason: "tampered", finding: forgedObject},
		{name: "inert object", fake: fake{answers: []sandbox.Answer{answer(int64(1)), answer(plain.Object{ID: 1, Type: "map", Flags: plain.Inert})}}, reward: 0.5, reason: "wrong_answer"},
		{name: "malformed", fake: fake{answers: []sandbox.Answer{answer(int64(1)), {Malformed: "x"}}}, reason: "tampered", finding: forgedResult},
		{name: "missing", fake: fake{answers: []sandbox.Answer{{Missing: true}, {Missing: true}}}, reason: "entry_point_missing"},
		{name: "leftover", fake: fake{answers: two, result: sandbox.Result{Leftover: true}}, reward: 1, reason: "ok", finding: leftoverProcess},
		{name: "does not compile", fake: fake{load: sandbox.Load{CompileError: "SyntaxError"}}, reason: "compile_error"},
		{name: "raises while loading", fake: fake{load: sandbox.Load{Raised: &sandbox.Raised{Name: "NameError"}}}, reason: "runtime_error"},
		{name: "exits while loading", fake: fake{load: sandbox.Load{Raised: &sandbox.Raised{Name: "SystemExit"}}}, reason: "tampered", finding: earlyExit},
		{name: "leaves while loading", fake: fake{load: sandbox.Load{Gone: true}}, reason: "tampered", finding: earlyExit},
		{name: "loads for ever", fake: fake{load: sandbox.Load{Gone: true}, result: sandbox.Result{Signal: 9, Limit: sandbox.Timeout}}, reason: "timeout"},
		{name: "one fault of ours", fake: fake{answers: two, errs: []error{sandbox.ErrSandbox}}, reward: 1, reason: "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(t, &tt.fake, tt.options)
			j := v.JudgeContext(t.Context(), &verdict.Candidate{Response: "def f(x): ...", Row: verdict.Row{{Key: "tests", JSON: []byte(`["assert f(1) == 1", "assert f(2) == 2"]`)}}})
			s, ok := j.Verdict.Scored()
			if !ok || s.Reward != tt.reward || s.Passed != (tt.reason == "ok") || s.Reason != tt.reason || len(s.Components) != 2 {
				t.Errorf("want %v %s: %s", tt.reward, tt.reason, show(&j))
			}
			if tt.finding != "" && !j.Verdict.Has(tt.finding) {
				t.Errorf("no finding %s: %s", tt.finding, show(&j))
			}
		})
	}
}

func TestUnscored(t *testing.T) {
	isolation := &sandbox.IsolationError{Report: &sandbox.Report{Tier: sandbox.T0, MinTier: sandbox.T2}}
	ours := fmt.Errorf("%w: x", sandbox.ErrSandbox)
	tests := []struct {
		name    string
		fake    fake
		options map[string]any
		tests   string
		want    verdict.Reason
	}{
		{name: "no column", want: verdict.NoTests},
		{name: "empty", tests: `""`, want: verdict.NoTests},
		{name: "comments", tests: `"# nothing\n\n"`, want: verdict.NoTests},
		{name: "empty list", tests: `[]`, want: verdict.NoTests},
		{name: "empty element", tests: `["assert f(1) == 1", ""]`, want: verdict.BadTests},
		{name: "numbers", tests: `[1]`, want: verdict.BadTests},
		{name: "isolation", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{isolation}}, want: verdict.IsolationUnavailable},
		{name: "gvisor", tests: `"assert f(1) == 1"`, options: map[string]any{"isolation": "gvisor"}, want: verdict.IsolationUnavailable},
		{name: "two faults of ours", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{ours, ours}}, want: verdict.SandboxError},
		{name: "language", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{sandbox.ErrLanguage}}, want: verdict.LanguageUnavailable},
		{name: "layout", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{&sandbox.LayoutError{}}}, want: verdict.LanguageUnavailable},
		{name: "deadline", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{context.DeadlineExceeded}}, want: verdict.Deadline},
		{name: "cancelled", tests: `"assert f(1) == 1"`, fake: fake{errs: []error{context.Canceled}}, want: verdict.Cancelled},
		{name: "judge failed", tests: `"for i in [1]: assert f(i)"`, fake: fake{judged: sandbox.Judged{JudgeFailed: "x"}}, want: verdict.JudgeError},
		{name: "bad tests", tests: `"for i in [1]: assert f(i)"`, fake: fake{judged: sandbox.Judged{Refused: "bad_tests"}}, want: verdict.BadTests},
		{name: "unsupported", tests: `"for i in [1]: assert f(i)"`, fake: fake{judged: sandbox.Judged{Refused: "tests_unsupported"}}, want: verdict.TestsUnsupported},
		{name: "stdio without expected", options: map[string]any{"task": "stdio"}, want: verdict.NoTests},
		{name: "column is not there", tests: `"assert f(1) == 1"`, options: map[string]any{"fields": map[string]any{"response": "code"}}, want: verdict.BadRow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &verdict.Candidate{Response: "def f(x): ..."}
			if tt.tests != "" {
				c.Row = verdict.Row{{Key: "tests", JSON: []byte(tt.tests)}}
			}
			j := verifier(t, &tt.fake, tt.options).JudgeContext(t.Context(), c)
			if u, ok := j.Verdict.Unscored(); !ok || u.Reason != tt.want {
				t.Errorf("want %v: %s", tt.want, show(&j))
			}
		})
	}
}

func TestNoCode(t *testing.T) {
	j := verifier(t, &fake{}, nil).JudgeContext(t.Context(), &verdict.Candidate{Response: "", Row: verdict.Row{{Key: "tests", JSON: []byte(`"assert f(1) == 1"`)}}})
	if s, ok := j.Verdict.Scored(); !ok || s.Reason != "no_code" || s.Reward != 0 {
		t.Error(show(&j))
	}
}

func TestJudgeMissesATest(t *testing.T) {
	f := &fake{judged: sandbox.Judged{Collected: []string{"tests[0]", "tests[1]", "hidden_tests[0]"}, Rows: []sandbox.Row{{Test: "tests[0]", Outcome: sandbox.Passed}, {Test: "hidden_tests[0]", Outcome: sandbox.Passed}}}}
	c := &verdict.Candidate{Response: "def f(x): ...", Row: verdict.Row{{Key: "tests", JSON: []byte(`["for i in [1]: assert f(i)", "assert f(2)"]`)}, {Key: "hidden_tests", JSON: []byte(`"assert f(3)"`)}}}
	j := verifier(t, f, nil).JudgeContext(t.Context(), c)
	if s, _ := j.Verdict.Scored(); s.Reward != 0.5 || s.Passed {
		t.Errorf("a missing test counts as passed: %s", show(&j))
	}
}

func TestHiddenTests(t *testing.T) {
	v := verifier(t, On(pool(t, sandbox.T2)), nil)
	for name, tt := range map[string]struct{ visible, hidden string }{
		"go":    {`"assert f(1) == 1"`, `["assert f(2) == 4", "assert f(3) == 9"]`},
		"judge": {`"for i in (0, 1): assert f(i) == i"`, `["for i in range(5): assert f(i) == i * i", "assert f(3) == 9"]`},
	} {
		t.Run(name, func(t *testing.T) {
			row := verdict.Row{{Key: "tests", JSON: []byte(tt.visible)}, {Key: "hidden_tests", JSON: []byte(tt.hidden)}}
			honest := v.JudgeContext(t.Context(), &verdict.Candidate{Response: "def f(x): return x * x", Row: row})
			if !honest.Verdict.Passed() || honest.HeldOut == nil || !honest.HeldOut.Passed() {
				t.Errorf("honest: %s", show(&honest))
			}
			special := v.JudgeContext(t.Context(), &verdict.Candidate{Response: "def f(x): return {0: 0, 1: 1}.get(x)", Row: row})
			if !special.Verdict.Passed() || special.HeldOut.Passed() || !special.HeldOut.Has("special_cased") || special.Execution.TestsRun != 1 {
				t.Errorf("special-cased: %s", show(&special))
			}
		})
	}
}

func TestBadSpecs(t *testing.T) {
	d := Descriptor()
	for _, options := range []map[string]any{
		{"timeout": 0.0}, {"timeout": -1.0}, {"memory_mb": 1.0}, {"processes": 0.0}, {"task": "exec"}, {"compare": "words"}, {"language": "cobol"}, {"nonsense": true}, {"rel": 2.0},
	} {
		var bad *spec.BadSpecError
		if _, err := d.Resolve(Name, options); !errors.As(err, &bad) {
			t.Errorf("%v: %v", options, err)
		}
	}
	values, err := d.Resolve(Name, map[string]any{"language": "bash"})
	if err != nil {
		t.Fatal(err)
	}
	var bad *spec.BadSpecError
	if _, err := New(Name, values, &fake{}); !errors.As(err, &bad) || !strings.Contains(err.Error(), "stdio") {
		t.Errorf("bash with func: %v", err)
	}
}

func TestStdioVerdicts(t *testing.T) {
	run := On(pool(t, sandbox.T2))
	tests := []struct {
		name, code string
		options    map[string]any
		row        verdict.Row
		reward     float64
		reason     string
	}{
		{"pairs", "print(input())", nil, verdict.Row{{Key: "stdin", JSON: []byte(`["1","2"]`)}, {Key: "expected_stdout", JSON: []byte(`["1","3"]`)}}, 0.5, "wrong_answer"},
		{"objects", "print(input())", nil, verdict.Row{{Key: "tests", JSON: []byte(`[{"stdin":"1","expected_stdout":"1"},{"stdin":"2","expected_stdout":"2"}]`)}}, 1, "ok"},
		{"no input", "print(1)", nil, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 1, "ok"},
		{"exit code", "print(1); raise SystemExit(2)", nil, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "runtime_error"},
		{"exit code ignored", "print(1); raise SystemExit(2)", map[string]any{"exit_code": "ignore"}, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 1, "ok"},
		{"syntax", "print(", nil, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "compile_error"},
		{"disk", "open('x','wb').write(b'x' * (20 << 20))", map[string]any{"file_mb": 32.0}, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "disk_limit"},
		{"file", "open('x','wb').write(b'x' * (20 << 20))", map[string]any{"disk_mb": 64.0}, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "file_limit"},
		{"descriptors", "x = [open('/dev/null') for _ in range(100)]", nil, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "fd_limit"},
		{"processes", "import os\nfor _ in range(100):\n    if os.fork() == 0: __import__('time').sleep(9)", nil, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "process_limit"},
		{"cpu", "while True: pass", map[string]any{"cpu": 1.0}, verdict.Row{{Key: "expected_stdout", JSON: []byte(`"1"`)}}, 0, "cpu_limit"},
		{"bash", "read a; echo $a", map[string]any{"language": "bash"}, verdict.Row{{Key: "stdin", JSON: []byte(`"1\n"`)}, {Key: "expected_stdout", JSON: []byte(`"1"`)}}, 1, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := map[string]any{"task": "stdio"}
			for k, o := range tt.options {
				options[k] = o
			}
			j := verifier(t, run, options).JudgeContext(t.Context(), &verdict.Candidate{Response: tt.code, Row: tt.row})
			if s, ok := j.Verdict.Scored(); !ok || s.Reward != tt.reward || s.Reason != tt.reason {
				t.Errorf("want %v %s: %s", tt.reward, tt.reason, show(&j))
			}
		})
	}
}
