package alert

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/publish"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// rig is one sink on a real server and a real database, with a clock that tests turn. Steps are made by hand, so nothing
// depends on how fast the machine is.
type rig struct {
	t     *testing.T
	db    *store.DB
	clock *clock.Fake
	log   bytes.Buffer
	reg   *prometheus.Registry
	sink  Sink
	path  string
	w     *worker
	n     int

	mu      sync.Mutex
	answer  http.HandlerFunc // nil is 200
	got     []call
	timeout time.Duration
}

type call struct {
	header http.Header
	body   map[string]any
	raw    []byte
}

func newRig(t *testing.T, kind string) *rig {
	r := &rig{t: t, clock: clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), timeout: 5 * time.Second}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.sink = Sink{Name: "s", Kind: kind, URL: s.URL + "/hook", AllowPrivate: true, SecretEnv: "SECRET"}
	if kind == "slack" {
		r.sink.URL, r.sink.URLEnv, r.sink.SecretEnv = "", "URL", ""
	}
	r.path = filepath.Join(t.TempDir(), "r.db")
	var err error
	if r.db, err = store.Open(t.Context(), r.path, append(publish.Migrations(), Migrations()...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r.restart(s.URL)
}

// restart makes a new worker on the same tables, as a new process would.
func (r *rig) restart(url string) *rig {
	r.t.Helper()
	r.reg = prometheus.NewRegistry()
	counts, err := NewCounts(r.reg)
	if err != nil {
		r.t.Fatal(err)
	}
	env := func(k string) (string, bool) {
		if k == "URL" {
			return url + "/hook", true
		}
		return hookSecret, true
	}
	a, err := newAlerter([]Sink{r.sink}, Deps{DB: r.db, Env: env, Random: func() float64 { return 0.5 }, Clock: r.clock,
		Log: slog.New(slog.NewTextHandler(&r.log, nil)), Counts: counts}, r.timeout, func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") })
	if err != nil {
		r.t.Fatal(err)
	}
	r.w = a.workers[0]
	r.t.Cleanup(r.w.client.CloseIdleConnections)
	if err := r.w.begin(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return r
}

// ServeHTTP keeps what came and checks a webhook's signature as a receiver does.
func (r *rig) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, err := io.ReadAll(req.Body)
	c := call{header: req.Header, raw: b, body: map[string]any{}}
	if err == nil {
		err = json.Unmarshal(b, &c.body)
	}
	if err != nil {
		r.t.Errorf("the body %q: %v", b, err)
	}
	if r.sink.Kind == "webhook" {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
		if want := sign(key, req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), b); err != nil || req.Header.Get("webhook-signature") != want {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
	}
	r.mu.Lock()
	r.got = append(r.got, c)
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, req)
	}
}

func (r *rig) respond(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = h
}

func (r *rig) calls() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.got
	r.got = nil
	return out
}

// find puts an anomaly into the tables, as the projection does.
func (r *rig) find(incident string, e recorderv1.IncidentEvent, s corev1.Severity, detail string) {
	r.t.Helper()
	r.n++
	a := &recorderv1.Anomaly{Uid: fmt.Sprintf("uid-%03d", r.n), Run: "run-1", Incident: incident, Kind: "kl_blowup", Event: e, Severity: s, Step: uint64(r.n), OnsetStep: 1, Detail: detail}
	m := publish.Messenger{Source: "test", Clock: r.clock}
	if err := publish.Take(r.t.Context(), r.db, m, publish.Part{Tenant: "acme", Run: "run-1",
		Found: []publish.Found{{Seq: uint64(r.n), Anomaly: a}}, Next: uint64(r.n) + 1}); err != nil {
		r.t.Fatal(err)
	}
}

// steps works until there is nothing to do now, and gives the wait.
func (r *rig) steps() time.Duration {
	r.t.Helper()
	for range 1000 {
		wait, err := r.w.step(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if wait > 0 {
			return wait
		}
	}
	r.t.Fatal("it never rests")
	return 0
}

func (r *rig) gauge(name string) float64 {
	r.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	r.t.Fatalf("no metric %s", name)
	return 0
}
