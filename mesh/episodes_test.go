package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/services/gateway/credential"
	"github.com/provenir/provenir/services/gateway/openenv"
	"github.com/provenir/provenir/services/verifier"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// idleWorld has a tool that does nothing, and one that waits for the test.
type idleWorld struct{ let chan struct{} }

func (idleWorld) Task() env.Task    { return env.Task{ID: "idle", Prompt: "Do nothing."} }
func (idleWorld) Progress() float64 { return 0 }
func (idleWorld) Verdict(string) verdict.Verdict {
	return verdict.Pass("idle", "idle")
}

func (w idleWorld) Act(ctx context.Context, tool string, _ map[string]any) (string, error) {
	if tool == "wait" {
		select {
		case <-w.let:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return "ok", nil
}

// face serves the idle environment over the real service.
type face struct {
	t     testing.TB
	url   string
	let   chan struct{}
	clock *clock.Fake
	run   func(ctx context.Context) error
}

func newFace(t testing.TB, cfg openenv.Config, episodes int) *face {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) }) // runs last
	f := &face{t: t, let: make(chan struct{}), clock: clock.NewFake(time.Unix(0, 0))}
	tool := json.RawMessage(`{"type":"object"}`)
	s, err := verifier.New(verifier.Config{Episodes: episodes}, verifier.Deps{Environments: []env.Definition{{Name: "idle", Version: "1", MaxTurns: 1 << 30,
		Tools: []env.Tool{{Name: "nothing", Parameters: tool}, {Name: "wait", Parameters: tool}}, Begin: func(env.Setting) (env.World, error) { return idleWorld{f.let}, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	t.Cleanup(func() { _ = s.Run(ended) }) // closes its sandbox
	conn := grpctest.ServeAs(t, "", s.Register)
	cfg.Environment = "idle"
	e, err := openenv.New(cfg, openenv.Deps{Verifier: verifierv1.NewVerifierServiceClient(grpc.ClientConnInterface(conn)), Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	f.run = e.Run
	server := httptest.NewServer(credential.Pass(e.Handler()))
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	f.url = strings.Replace(server.URL, "http://", "http://me:"+grpctest.Token+"@", 1)
	return f
}

func (f *face) dial(ctx context.Context) *websocket.Conn {
	f.t.Helper()
	conn, _, err := websocket.Dial(ctx, f.url+"/ws", nil) //nolint:bodyclose // the connection has taken it over
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

func (f *face) say(ctx context.Context, conn *websocket.Conn, message string) string {
	f.t.Helper()
	if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		return err.Error()
	}
	_, got, err := conn.Read(ctx)
	if err != nil {
		return err.Error()
	}
	return string(got)
}

func (f *face) http(method, path, body string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.url+path, strings.NewReader(body)) //nolint:noctx // the server ends with the test
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const (
	begin   = `{"type":"reset","data":{"seed":1}}`
	nothing = `{"type":"step","data":{"tool":"nothing"}}`
	waiting = `{"type":"step","data":{"tool":"wait"}}`
)

// Slots are those of the face or of the service, whichever has fewer; a client that goes away while a tool runs frees
// its own at once.
func TestCapacity(t *testing.T) {
	for _, c := range []struct {
		name          string
		face, service int
	}{{"of the face", 2, 9}, {"of the service", 9, 2}} { //nolint:gofmt // one line reads best
		t.Run(c.name, func(t *testing.T) {
			f := newFace(t, openenv.Config{MaxConcurrentEnvs: c.face}, c.service)
			ctx := t.Context()
			a, b := f.dial(ctx), f.dial(ctx)
			defer b.CloseNow() //nolint:errcheck // the server may have closed it
			for _, conn := range []*websocket.Conn{a, b} {
				if got := f.say(ctx, conn, begin); !strings.Contains(got, "Do nothing.") {
					t.Fatal(got)
				}
			}
			full := f.dial(ctx)
			if _, got, err := full.Read(ctx); err != nil || !strings.Contains(string(got), `"code":"CAPACITY_REACHED"`) {
				t.Errorf("%s, %v", got, err)
			}
			_ = full.CloseNow()
			if code, got := f.http("POST", "/reset", ""); code != 503 {
				t.Errorf("%d %s", code, got)
			}
			if err := a.Write(ctx, websocket.MessageText, []byte(waiting)); err != nil {
				t.Fatal(err)
			}
			_ = a.CloseNow()
			for { // the next one finds a place
				next := f.dial(ctx)
				got := f.say(ctx, next, begin)
				_ = next.CloseNow()
				if strings.Contains(got, "Do nothing.") {
					break
				}
				if ctx.Err() != nil {
					t.Fatal(got)
				}
			}
		})
	}
}

func TestInFlight(t *testing.T) {
	f := newFace(t, openenv.Config{}, 0)
	ctx := t.Context()
	conn := f.dial(ctx)
	defer conn.CloseNow() //nolint:errcheck // the server closes it
	f.say(ctx, conn, begin)
	// Two steps in flight are carried out one after the other.
	for range 2 {
		if err := conn.Write(ctx, websocket.MessageText, []byte(nothing)); err != nil {
			t.Fatal(err)
		}
	}
	for want := 1; want <= 2; want++ {
		if _, got, err := conn.Read(ctx); err != nil || !strings.Contains(string(got), fmt.Sprintf(`"turn":%d`, want)) {
			t.Fatalf("%s, %v", got, err)
		}
	}
	// Whoever does not wait at all is cut off, and not served from an ever longer queue.
	for range 5 {
		_ = conn.Write(ctx, websocket.MessageText, []byte(waiting)) // the last ones find it closed
	}
	_, _, err := conn.Read(ctx)
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("%v", err)
	}
	huge := f.dial(ctx)
	defer huge.CloseNow() //nolint:errcheck // the server closes it
	_ = huge.Write(ctx, websocket.MessageText, []byte(`{"type":"step","data":{"text":"`+strings.Repeat("a", 1<<20)+`"}}`))
	if _, _, err := huge.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("%v", err)
	}
}

func TestHeldOverHTTP(t *testing.T) {
	f := newFace(t, openenv.Config{}, 0)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()
	for _, c := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"POST", "/reset", `{"seed":1,"episode_id":"mine"}`, 200, `"episode_id":"mine"`},
		{"POST", "/step", `{"episode_id":"mine","action":{"tool":"nothing"},"request_id":"7"}`, 200, `"turn":1`},
		{"POST", "/step", `{"action":{"tool":"nothing"}}`, 422, "episode_id"},
		{"POST", "/step", `{"episode_id":"other","action":{"tool":"nothing"}}`, 404, "no open episode"},
		{"POST", "/step", `{"episode_id":"mine"}`, 422, "an action"},
		{"POST", "/step", `{"episode_id":"mine","action":{"tool":"nothing"},"timeout_s":1}`, 422, "timeout_s"},
		{"GET", "/state?episode_id=mine", "", 200, `"step_count":1`},
		{"GET", "/state", "", 200, `"phase":"created"`},
		{"POST", "/reset", `{"seed":1,"episode_id":"mine"}`, 200, `"turn":0`},
		{"GET", "/state?episode_id=mine", "", 200, `"step_count":0`},
		{"POST", "/step", `{"episode_id":"mine","action":{"text":"done"}}`, 200, `"done":true`},
		{"POST", "/step", `{"episode_id":"mine","action":{"text":"done"}}`, 409, "over"},
		{"POST", "/reset", `{"episode_id":"mine"}`, 200, `"turn":0`},
		{"POST", "/reset", `{"seed":"x"}`, 422, "seed"},
		{"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nothing","session_id":"mine"}}`, 200, `"text":"ok"`},
		{"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nothing"}}`, 200, "session_id is needed"},
		{"POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"openenv/session/close","params":{"session_id":"mine"}}`, 200, `"closed":true`},
		{"POST", "/step", `{"episode_id":"mine","action":{"tool":"nothing"}}`, 404, "no open episode"},
		{"POST", "/reset", `{"seed":1,"episode_id":"idle"}`, 200, `"episode_id":"idle"`},
	} {
		if code, got := f.http(c.method, c.path, c.body); code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, code, got)
		}
	}
	// Two steps at once wait for each other.
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { f.http("POST", "/step", `{"episode_id":"idle","action":{"tool":"nothing"}}`) })
	}
	both.Wait()
	if _, got := f.http("GET", "/state?episode_id=idle", ""); !strings.Contains(got, `"step_count":2`) {
		t.Errorf("after two steps at once: %s", got)
	}
	// An id alone opens nothing to somebody else.
	if code, got := f.http("POST", "/step", `{"episode_id":"idle","action":{"tool":"wait"}`); code != 422 {
		t.Errorf("%d %s", code, got)
	}
	for code := 200; code != 404; { // who is idle for ten minutes is closed
		for f.clock.Waiters() == 0 {
			if ctx.Err() != nil {
				t.Fatal("no timer")
			}
		}
		f.clock.Advance(11 * time.Minute)
		code, _ = f.http("GET", "/state?episode_id=idle", "")
	}
	cancel()
	<-ended
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	f := newFace(t, openenv.Config{Ping: time.Hour}, 0)
	conn := f.dial(t.Context())
	defer conn.CloseNow() //nolint:errcheck // the server closes it
	f.say(t.Context(), conn, begin)
	for f.clock.Waiters() < 2 {
		if t.Context().Err() != nil {
			t.Fatal("no timer")
		}
	}
	f.clock.Advance(10*time.Minute + time.Second)
	if _, got, err := conn.Read(t.Context()); err != nil || !strings.Contains(string(got), "SESSION_ERROR") {
		t.Errorf("%s, %v", got, err)
	}
}

// A client that does not answer pings is gone, whatever its connection says; one that does stays.
func TestPings(t *testing.T) {
	const ping = 500 * time.Millisecond
	f := newFace(t, openenv.Config{MaxConcurrentEnvs: 1, Ping: ping}, 0)
	ctx := t.Context()
	silent := f.dial(ctx)
	defer silent.CloseNow() //nolint:errcheck // the server closes it
	f.say(ctx, silent, begin)
	var alive *websocket.Conn
	for alive == nil { // the silent one has the only place until it is found out
		if ctx.Err() != nil {
			t.Fatal("it never is")
		}
		f.clock.Advance(ping)
		next := f.dial(ctx)
		if got := f.say(ctx, next, begin); strings.Contains(got, "Do nothing.") {
			alive = next
		} else {
			_ = next.CloseNow()
		}
	}
	if _, _, err := silent.Read(ctx); err == nil {
		t.Error("the silent connection is open")
	}
	defer alive.CloseNow() //nolint:errcheck // the server may have closed it
	for range 5 {
		f.clock.Advance(ping)
		if got := f.say(ctx, alive, nothing); !strings.Contains(got, `"ok"`) {
			t.Fatal(got)
		}
	}
}
