// Package gateway is the edge that people and browsers meet: REST over the same RPCs, server-sent events, the OpenAPI
// reference and health. It holds clients of the roles and nothing else; every call passes their interceptors.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/gateway/credential"
)

// Register adds one service's REST handlers to the mux over a connection.
type Register func(ctx context.Context, mux *runtime.ServeMux, conn *grpc.ClientConn) error

// Route is a service and where it is.
type Route struct {
	Register Register
	Conn     *grpc.ClientConn
}

// Config is where to listen.
type Config struct {
	Version string
	Metrics http.Handler // GET /metrics; nil leaves it out
}

// Deps are the gateway's neighbours.
type Deps struct {
	Routes []Route
	// Verifier is where engines' calls go, without a credential of its own; nil leaves them out.
	Verifier grpc.ClientConnInterface
	// Recorder is where scrapers of a run go, without a credential of its own; nil leaves them out.
	Recorder grpc.ClientConnInterface
	// Ready says whether every role that this process runs serves.
	Ready func(ctx context.Context) error
	Log   *slog.Logger
}

// Service is the gateway.
type Service struct {
	handler http.Handler
	log     *slog.Logger
	ready   func(ctx context.Context) error
	faces   []func(ctx context.Context) error // what engine-facing handlers do beside calls, while the gateway serves
}

// New builds the handlers; it starts nothing.
func New(ctx context.Context, cfg Config, d Deps) (*Service, error) {
	if len(d.Routes) == 0 || d.Ready == nil || d.Log == nil {
		return nil, errors.New("gateway: Routes, Ready and Log are needed")
	}
	mux := runtime.NewServeMux(muxOptions()...)
	for _, r := range d.Routes {
		if err := r.Register(ctx, mux, r.Conn); err != nil {
			return nil, fmt.Errorf("register REST handlers: %w", err)
		}
	}
	s := &Service{log: d.Log, ready: d.Ready}
	root := http.NewServeMux()
	root.HandleFunc("GET /healthz", s.healthz)
	root.HandleFunc("GET /health", s.healthz)
	root.HandleFunc("GET /readyz", s.readyz)
	root.HandleFunc("GET /openapi.json", openAPI)
	root.HandleFunc("GET /docs", docsPage)
	root.HandleFunc("GET /docs/", docsAsset)
	root.HandleFunc("GET /{$}", home(cfg.Version, cfg.Metrics != nil))
	if cfg.Metrics != nil {
		root.Handle("GET /metrics", cfg.Metrics)
	}
	root.Handle("/v1/", streams(mux))
	if d.Recorder != nil {
		root.Handle("GET /v1/runs/{run}/openmetrics", credential.Pass(openMetrics(recorderv1.NewRecorderServiceClient(d.Recorder), mux)))
	}
	if d.Verifier != nil {
		if err := s.engines(root, cfg, d); err != nil {
			return nil, err
		}
	}
	s.handler = guard(root)
	return s, nil
}

// Handler is the whole edge, for tests.
func (s *Service) Handler() http.Handler { return s.handler }

// Health says nothing of its own: the gateway has no state.
func (s *Service) Health(context.Context) error { return nil }

// Serve serves until ctx ends. Streams end with it: a browser reconnects with Last-Event-ID.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	var faces sync.WaitGroup
	defer faces.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	for _, run := range s.faces {
		faces.Go(func() { _ = run(ctx) }) // they end with ctx, and for no other reason
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		_ = srv.Close() // watchers hold their streams; they resume elsewhere
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}

func (s *Service) healthz(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "ok\n")
}

func (s *Service) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.ready(r.Context()); err != nil {
		writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client may have gone
}
