package plugin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// inside is a plugin in this process: it really serves, and can be killed.
type inside struct {
	out    *io.PipeReader
	server *grpc.Server
	done   chan struct{}
	once   sync.Once
}

func (p *inside) Stdout() io.Reader     { return p.out }
func (p *inside) Done() <-chan struct{} { return p.done }
func (p *inside) Said() string          { return "said" }

func (p *inside) Kill() {
	p.once.Do(func() {
		p.server.Stop()
		p.out.Close()
		close(p.done)
	})
}

// fakes starts plugins in this process; line is what each says first.
type fakes struct {
	mu      sync.Mutex
	line    string
	err     error
	service *theirs
	started []*inside
}

func (f *fakes) launch(_ context.Context, _ Config, l Listener) (Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	listener, err := net.FileListener(l.File)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	p := &inside{out: r, server: grpc.NewServer(), done: make(chan struct{})}
	verifierv1.RegisterVerifierServiceServer(p.server, f.service)
	go func() { _ = p.server.Serve(listener) }()
	go func() { _, _ = io.WriteString(w, f.line) }()
	f.started = append(f.started, p)
	return p, nil
}

func (f *fakes) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.started)
}

func hostOf(t *testing.T, f *fakes) (*Host, *clock.Fake) {
	t.Helper()
	c := clock.NewFake(time.Unix(0, 0))
	h := NewHost(map[string]Config{"p": {Path: "/x"}}, Deps{Launch: f.launch, Clock: c, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(h.Close)
	return h, c
}

func judgeOf(h *Host, name string) (verdict.Judge, error) {
	d := Descriptor()
	v, err := d.Resolve(Name, map[string]any{"name": name, "verifier": "theirs", "timeout": 0.5})
	if err != nil {
		return nil, err
	}
	return h.New(Name, v)
}

func ask(j verdict.Judge, response string) verdict.Verdict {
	return j.Judge(&verdict.Candidate{ID: "a", Response: response})
}

// TestAnswersThatCannotBe: such an answer is unscored, the plugin is ended, and started again after a pause that doubles; a
// sound one begins anew.
func TestAnswersThatCannotBe(t *testing.T) {
	for response, want := range map[string]verdict.Reason{
		"too much": verdict.OutOfRange, "NaN": verdict.NonFinite, "another id": verdict.RemoteError, "hang": verdict.RemoteError,
	} {
		t.Run(response, func(t *testing.T) {
			f := &fakes{line: Handshake + "\n", service: &theirs{}}
			h, c := hostOf(t, f)
			j, err := judgeOf(h, "p")
			if err != nil {
				t.Fatal(err)
			}
			for n, wait := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
				v := ask(j, response)
				if u, _ := v.Unscored(); u.Reason != want || v.Verifier != Name {
					t.Fatalf("%+v, want %v", v, want)
				}
				<-f.started[n].done // it was ended
				if v := ask(j, "right"); v.Passed() {
					t.Fatalf("asked again within the pause: %+v", v)
				}
				c.Advance(wait - time.Millisecond)
				if v := ask(j, "right"); v.Passed() || f.count() != n+1 {
					t.Fatalf("asked again just before the end of pause %v; %d were started", wait, f.count())
				}
				c.Advance(time.Millisecond)
				if n < 2 { // an unsound answer at once: the pause goes on doubling
					continue
				}
				if v := ask(j, "right"); !v.Passed() {
					t.Fatalf("after the pause: %+v", v)
				}
			}
			ask(j, response)
			c.Advance(firstPause) // a sound answer came in between
			if v := ask(j, "right"); !v.Passed() {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestPluginsThatDoNotStart(t *testing.T) {
	isolation := &sandbox.IsolationError{Report: &sandbox.Report{}}
	for name, tt := range map[string]struct {
		fakes *fakes
		want  string
	}{
		"another line":       {&fakes{line: "provenir-verifier|2\n", service: &theirs{}}, "first line"},
		"a long line":        {&fakes{line: strings.Repeat("x", 10_000), service: &theirs{}}, "first line"},
		"no isolation":       {&fakes{err: isolation}, "isolation"},
		"no such verifier":   {&fakes{line: Handshake + "\n", service: &theirs{}}, ""},
		"it cannot be found": {&fakes{err: errors.New("no such file")}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := hostOf(t, tt.fakes)
			_, err := judgeOf(h, "p")
			if tt.want == "" {
				d := Descriptor()
				v, _ := d.Resolve(Name, map[string]any{"name": "p", "verifier": "another"})
				_, err = h.New(Name, v)
			}
			var bad *spec.BadSpecError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
	h, _ := hostOf(t, &fakes{})
	if _, err := judgeOf(h, "unknown"); err == nil || !strings.Contains(err.Error(), "p") {
		t.Errorf("an unknown plugin: %v", err)
	}
}

// TestOneThatSaysNothing is given up when its time is over, by the clock.
func TestOneThatSaysNothing(t *testing.T) {
	f := &fakes{service: &theirs{}}
	h, c := hostOf(t, f)
	failed := make(chan error)
	go func() {
		_, err := judgeOf(h, "p")
		failed <- err
	}()
	for c.Waiters() == 0 {
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
			runtime.Gosched()
		}
	}
	c.Advance(handshakeWithin)
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "did not say") {
		t.Errorf("%v", err)
	}
}

// TestHealth: a plugin that nobody asks is asked whether it answers, and ended where it does not.
func TestHealth(t *testing.T) {
	f := &fakes{line: Handshake + "\n", service: &theirs{unwell: make(chan struct{})}}
	h, c := hostOf(t, f)
	if _, err := judgeOf(h, "p"); err != nil {
		t.Fatal(err)
	}
	for c.Waiters() == 0 { // for the watch to set its timer
		runtime.Gosched()
	}
	close(f.service.unwell)
	c.Advance(healthEvery)
	<-f.started[0].done
}

func TestParse(t *testing.T) {
	got, err := Parse("a=/x/a, b=/y")
	if err != nil || len(got) != 2 || got["a"].Path != "/x/a" || got["b"].Path != "/y" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"a", "a=", "=/x", "a=x", "a=/x,a=/y", "a=../x"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// TestInTheSandbox: a real program behind the layers answers, reaches nothing that it should not, and is started again when
// it dies.
func TestInTheSandbox(t *testing.T) {
	// The race detector of a test binary takes gigabytes of address space.
	j, c := real(t, 8<<30)
	if v := ask(j, "right"); !v.Passed() {
		t.Errorf("%+v", v)
	}
	if v := ask(j, "look around"); !v.Passed() || v.Extracted != "" {
		t.Errorf("it reaches %q: %+v", v.Extracted, v)
	}
	if u, _ := func() (verdict.Unscored, bool) { v := ask(j, "die"); return v.Unscored() }(); u.Reason != verdict.RemoteError {
		t.Errorf("%+v", u)
	}
	c.Advance(firstPause)
	if v := ask(j, "right"); !v.Passed() {
		t.Errorf("after its death: %+v", v)
	}
}

// A plugin that takes more memory than it may is ended, its question has no verdict, and it is started again.
func TestAPluginThatGrows(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes more address space than the limit that is tried")
	}
	j, c := real(t, 256<<20)
	if v := ask(j, "take 64 MiB"); !v.Passed() {
		t.Errorf("within its limit: %+v", v)
	}
	if u, _ := func() (verdict.Unscored, bool) { v := ask(j, "take 1024 MiB"); return v.Unscored() }(); u.Reason != verdict.RemoteError {
		t.Errorf("%+v", u)
	}
	c.Advance(firstPause)
	if v := ask(j, "right"); !v.Passed() {
		t.Errorf("after its death: %+v", v)
	}
}

// real is this test's own program as a plugin behind the layers.
func real(t *testing.T, memory int64) (verdict.Judge, *clock.Fake) {
	t.Helper()
	dir, err := os.MkdirTemp("", "provenir-plugin-test-") //nolint:usetesting // t.TempDir is closed to the sandbox's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(dir, "plugin")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, self, 0o755)); err != nil {
		t.Fatal(err)
	}
	pool, err := sandbox.New(sandbox.Config{PoolSize: 1}, sandbox.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(time.Unix(0, 0))
	h := NewHost(map[string]Config{"p": {Path: path, Args: []string{"be-a-plugin"}, Memory: memory}}, Deps{Launch: In(pool), Clock: c, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		h.Close()
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	d := Descriptor()
	v, err := d.Resolve(Name, map[string]any{"name": "p", "verifier": "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := pool.Report(t.Context()); err != nil || r.Tier < sandbox.T2 {
		t.Skipf("this machine has no namespaces: %v", err)
	}
	j, err := h.New(Name, v)
	if err != nil {
		t.Fatal(err)
	}
	return j, c
}
