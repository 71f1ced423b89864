package rules

import (
	"bytes"
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// inside is a worker in this process: it really serves, and dies when the test says so.
type inside struct {
	net.Conn
	theirs net.Conn // closed, it is dead
	served sync.WaitGroup
}

func (w *inside) Kill() {
	w.Close()
	w.served.Wait()
}

// office starts workers that live in this process.
type office struct {
	mu      sync.Mutex
	started []*inside
	err     error
	dies    bool // each ends at its next question
}

func (o *office) launch(context.Context) (Worker, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	ours, theirs := net.Pipe()
	w := &inside{Conn: ours, theirs: theirs}
	dies := o.dies
	w.served.Go(func() {
		defer theirs.Close()
		if dies {
			_, _ = theirs.Read(make([]byte, 4))
			return
		}
		_ = Serve(theirs, 1<<40)
	})
	o.started = append(o.started, w)
	return w, nil
}

func apartOf(t *testing.T, o *office, program string) (verdict.Judge, error) {
	t.Helper()
	a := NewApart(2, o.launch)
	t.Cleanup(a.Close)
	d := Descriptor()
	v, err := d.Resolve(Name, map[string]any{"program": program})
	if err != nil {
		t.Fatal(err)
	}
	return a.New(Name, v)
}

// In a process of its own a program gets the verdict that it gets in this one, to the last word.
func TestApartIsTheSame(t *testing.T) {
	bodies := []string{`return True`, `return False`, `return 0.25`, `return 1`, `return 1.0`, `return -1`, `return float("nan")`, `return 12345678901234567890123`,
		`return {"reward": 0.5, "passed": True, "reason": "half", "findings": ["x", "y\\n"]}`, `return {"passed": True}`, `return {"reward": 1, "seed": True}`, `return {1: 2}`,
		`return {"reason": "Good!", "passed": True}`, `return {"reward": "1"}`, `return {"findings": 3, "passed": True}`, `return {"findings": [1], "passed": True}`,
		`return None`, `return "yes"`, `return "\\xff"`, `return ("a", 1)`, `return [1, [2]]`, `return verify`, `return set([1])`, `return range(3)`, `return row["none"]`, `fail("no")`,
		`return {"passed": row["response"] == "12" and row["n"] == 12345678901234567890 and row["list"][1]["a"] == None}`, `return {"findings": ["x" * 70000], "passed": True}`,
		`return math_equal("\\frac{24}{2}", row["response"])`, "n = 0\n  while True: n += 1"}
	c := &verdict.Candidate{ID: "a", Response: "12", Row: verdict.Row{{Key: "n", JSON: []byte("12345678901234567890")}, {Key: "list", JSON: []byte(`[1,{"a":null}]`)}}}
	for _, body := range bodies {
		program := "def verify(row):\n  " + body
		here, err1 := compile(t, program)
		there, err2 := apartOf(t, &office{}, program)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", body, err1, err2)
		}
		if j, ok := there.(*judge); ok {
			j.within = time.Hour
		}
		if a, b := here.Judge(c), there.Judge(c); !reflect.DeepEqual(a, b) {
			t.Errorf("%s:\nhere  %+v\nthere %+v", body, a, b)
		}
	}
	bad := &verdict.Candidate{Row: verdict.Row{{Key: "n", JSON: []byte("{")}}}
	here, _ := compile(t, "def verify(row): return True")
	there, err := apartOf(t, &office{}, "def verify(row): return True")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := here.Judge(bad), there.Judge(bad); !reflect.DeepEqual(a, b) {
		t.Errorf("a bad row: %+v, %+v", a, b)
	}
}

func TestProgramsThatAreRefusedApart(t *testing.T) {
	for _, program := range []string{"", "def verify(row: return", "def verify(a, b): return True", "verify = 3", "def other(row): return 1", `fail("top")`, strings.Repeat("#\n", maxProgram)} {
		_, here := compile(t, program)
		_, there := apartOf(t, &office{}, program)
		var a, b *spec.ProgramError
		if program == "" {
			continue // the table of options refuses it
		}
		if !errors.As(here, &a) || !errors.As(there, &b) || a.Error() != b.Error() {
			t.Errorf("%.30q: %v, %v", program, here, there)
		}
	}
}

// A worker that dies takes its program along and nobody else's.
func TestAWorkerThatDies(t *testing.T) {
	o := &office{}
	j, err := apartOf(t, o, "def verify(row): return True")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if v := j.Judge(&verdict.Candidate{}); !v.Passed() {
			t.Fatalf("%+v", v)
		}
	}
	if len(o.started) != 1 {
		t.Errorf("%d workers for one caller", len(o.started))
	}
	o.started[0].theirs.Close()
	if u, ok := func() (verdict.Unscored, bool) { v := j.Judge(&verdict.Candidate{}); return v.Unscored() }(); !ok || u.Reason != verdict.BadSpec || !strings.Contains(u.Detail, "256 MiB") {
		t.Errorf("%+v", u)
	}
	if v := j.Judge(&verdict.Candidate{}); !v.Passed() || len(o.started) != 2 {
		t.Errorf("%+v after %d workers", v, len(o.started))
	}
}

func TestWithoutAWorkerThereIsNoVerdict(t *testing.T) {
	o := &office{}
	j, err := apartOf(t, o, "def verify(row): return True")
	if err != nil {
		t.Fatal(err)
	}
	o.started[0].theirs.Close()
	j.Judge(&verdict.Candidate{})
	o.err = errors.New("no namespaces here")
	v := j.Judge(&verdict.Candidate{})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.IsolationUnavailable || !strings.Contains(u.Detail, "no namespaces") {
		t.Errorf("%+v", v)
	}
	if _, err := apartOf(t, o, "def verify(row): return True"); err == nil || !strings.Contains(err.Error(), "no namespaces") {
		t.Errorf("%v", err)
	}
	if _, err := apartOf(t, &office{dies: true}, "def verify(row): return True"); err == nil || !strings.Contains(err.Error(), "256 MiB") {
		t.Errorf("a worker that dies at once: %v", err)
	}
}

func TestManyWorkersAtOnce(t *testing.T) {
	o := &office{}
	j, err := apartOf(t, o, `def verify(row): return row["response"] == row["want"]`)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			text := strings.Repeat("x", i)
			if v := j.Judge(&verdict.Candidate{Response: text, Row: verdict.Row{{Key: "want", JSON: []byte(`"` + text + `"`)}}}); !v.Passed() {
				t.Errorf("%d: %+v", i, v)
			}
		})
	}
	all.Wait()
	if len(o.started) > 2 {
		t.Errorf("%d workers, at most 2", len(o.started))
	}
}

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	if err := send(&b, &question{Source: "a", JSON: [][]byte{{0xff}}}); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	q := &question{}
	if err := receive(bytes.NewReader(whole), maxQuestion, q); err != nil || q.Source != "a" || q.JSON[0][0] != 0xff {
		t.Errorf("%+v, %v", q, err)
	}
	for n := range len(whole) {
		if err := receive(bytes.NewReader(whole[:n]), maxQuestion, &question{}); err == nil {
			t.Errorf("%d of %d bytes are a message", n, len(whole))
		}
	}
	if err := receive(bytes.NewReader(whole), 3, &question{}); !errors.Is(err, errFrame) {
		t.Errorf("a message that is too long: %v", err)
	}
}

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	_ = send(&b, &answer{Value: wire{Type: "dict", Items: []wire{{Type: "string", Text: "k"}, {Type: "int", Text: "3"}}}})
	f.Add(b.Bytes())
	f.Add([]byte{4, 0, 0, 0, 1, 2, 3, 4})
	f.Fuzz(func(_ *testing.T, raw []byte) {
		a := &answer{}
		if receive(bytes.NewReader(raw), maxAnswer, a) == nil {
			_, _ = a.Value.value()
		}
	})
}
