package openenv

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/clock"
)

// Config says what is served; zero values take the defaults.
type Config struct {
	// Environment is served at the root. Empty serves all, each under /openenv/NAME.
	Environment string
	Version     string
	// MaxConcurrentEnvs may be open at once, over /ws, HTTP and MCP together; 0 takes 1,024.
	MaxConcurrentEnvs int
	Idle              time.Duration // without a message an environment is closed; 0 takes 10 min
	Ping              time.Duration // between pings, and to wait for an answer; 0 takes 30 s
	// Production serves MCP only: whoever acts in the world must not be able to reset it.
	Production bool
}

// Deps are the face's neighbours.
type Deps struct {
	// Verifier is called with the caller's own credential, which the context carries.
	Verifier verifierv1.VerifierServiceClient
	Clock    clock.Clock
	Log      *slog.Logger
}

// Server is the face.
type Server struct {
	cfg     Config
	d       Deps
	slots   chan struct{}
	held    *held
	handler http.Handler
}

// New checks and allocates; it starts nothing.
func New(cfg Config, d Deps) (*Server, error) {
	if d.Verifier == nil {
		return nil, errors.New("openenv: a verifier is needed")
	}
	if cfg.MaxConcurrentEnvs < 0 || cfg.Idle < 0 || cfg.Ping < 0 {
		return nil, errors.New("openenv: limits are not below 0")
	}
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxConcurrentEnvs == 0 {
		cfg.MaxConcurrentEnvs = 1024
	}
	if cfg.Idle == 0 {
		cfg.Idle = 10 * time.Minute
	}
	if cfg.Ping == 0 {
		cfg.Ping = 30 * time.Second
	}
	s := &Server{cfg: cfg, d: d, slots: make(chan struct{}, cfg.MaxConcurrentEnvs)}
	s.held = newHeld(s)
	s.handler = s.routes()
	return s, nil
}

// Handler serves the face.
func (s *Server) Handler() http.Handler { return s.handler }

// Run closes environments that are held over HTTP and that nobody uses, until ctx ends; then it closes all of them.
func (s *Server) Run(ctx context.Context) error { return s.held.run(ctx) }

func (s *Server) routes() http.Handler {
	prefix := ""
	if s.cfg.Environment == "" {
		prefix = "/openenv/{environment}"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"/health", s.health)
	mux.HandleFunc("GET "+prefix+"/openapi.json", s.openAPI)
	mux.HandleFunc("GET "+prefix+"/metadata", s.metadata)
	mux.HandleFunc("GET "+prefix+"/schema", s.schema)
	mux.HandleFunc("POST "+prefix+"/mcp", s.mcp)
	mux.HandleFunc("GET "+prefix+"/ws", s.ws)
	if !s.cfg.Production {
		mux.HandleFunc("POST "+prefix+"/reset", s.reset)
		mux.HandleFunc("POST "+prefix+"/step", s.step)
		mux.HandleFunc("GET "+prefix+"/state", s.state)
	}
	return mux
}

// environment is the one that a request is about.
func (s *Server) environment(r *http.Request) string {
	if s.cfg.Environment != "" {
		return s.cfg.Environment
	}
	return r.PathValue("environment")
}

// enter takes a slot. Whoever has one leaves it.
func (s *Server) enter() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Server) leave() { <-s.slots }
