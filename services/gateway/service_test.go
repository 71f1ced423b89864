package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestHealthAndReadiness(t *testing.T) {
	e := newEdge(t)
	for _, path := range []string{"/healthz", "/health"} {
		if got := e.call("GET", path, "", "Authorization", ""); got.code != 200 || got.body != "ok\n" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := e.call("GET", "/readyz", "", "Authorization", ""); got.code != 200 || got.body != "ready\n" {
		t.Errorf("%+v", got)
	}
	e.ready = errors.New("recorder: recovering")
	if got := e.call("GET", "/readyz", "", "Authorization", ""); got.code != 503 || got.body != "recorder: recovering\n" {
		t.Errorf("%+v", got)
	}
	if got := e.call("GET", "/healthz", ""); got.code != 200 {
		t.Errorf("alive is not ready: %+v", got)
	}
	if got := e.call("GET", "/metrics", ""); got.code != 200 || got.body != "metric 1\n" {
		t.Errorf("%+v", got)
	}
}

func TestOpenAPI(t *testing.T) {
	got := newEdge(t).call("GET", "/openapi.json", "", "Authorization", "")
	var doc struct {
		Swagger string
		Paths   map[string]map[string]struct{ Tags []string }
	}
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil || got.header.Get("Content-Type") != "application/json" || doc.Swagger != "2.0" {
		t.Fatalf("%v, %v", got.header, err)
	}
	for _, path := range []string{"/v1/passports/{passport}", "/v1/anomalies:watch"} {
		if len(doc.Paths[path]["get"].Tags) != 1 {
			t.Errorf("%s is not in the reference", path)
		}
	}
}

// The policy is default-src 'self': what a page has inline would silently not work.
func TestPagesNeedNothingInlineOrFromElsewhere(t *testing.T) {
	e := newEdge(t)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]|(src|href)="(https?:)?//|@import|url\(`)
	err := fs.WalkDir(pages, "page", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := pages.ReadFile(path)
		if found := inline.Find(b); found != nil && !strings.HasSuffix(path, ".js") {
			t.Errorf("%s has %q", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{"/": "text/html", "/docs": "text/html", "/docs/docs.js": "text/javascript", "/docs/style.css": "text/css", "/docs/icon.svg": "image/svg+xml"} {
		if got := e.call("GET", path, "", "Authorization", ""); got.code != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, got.code, got.header.Get("Content-Type"))
		}
	}
	if got := e.call("GET", "/", ""); !strings.Contains(got.body, "v1 &lt;test&gt;") {
		t.Error("the version is not escaped")
	}
	for _, path := range []string{"/docs/absent.js", "/docs/home.html.bak", "/docs/../docs.go", "/favicon.ico"} {
		if got := e.call("GET", path, ""); got.code != 404 {
			t.Errorf("%s: %d", path, got.code)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	ready, log := func(context.Context) error { return nil }, slog.New(slog.DiscardHandler)
	for _, d := range []Deps{{}, {Ready: ready, Log: log}, {Routes: []Route{{}}, Log: log}, {Routes: []Route{{}}, Ready: ready}} {
		if _, err := New(t.Context(), Config{}, d); err == nil {
			t.Errorf("%+v was accepted", d)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	s := &Service{handler: http.NotFoundHandler(), log: slog.New(slog.DiscardHandler)}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
