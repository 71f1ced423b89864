// Package mesh is the composition root: it opens what a set of roles needs, builds them in order, connects them, and
// stops them in reverse. It is the only importer of services.
//
// Every role of a process is served by one gRPC server, over memory for its neighbours and over TCP for others. So a role
// cannot tell whether its peer is here or elsewhere.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/lifecycle"
	"github.com/provenir/provenir/internal/rpc"
)

// Config is which roles to run and how.
type Config struct {
	Settings config.Settings
	Roles    []Role
	// Private listens on nothing: the mesh is for this process's own verb.
	Private bool
	// AllowUnsandboxed runs untrusted programs below isolation tier 2 where the machine offers no more. It is a person's
	// decision for one call, so it is no setting that a file could hold.
	AllowUnsandboxed bool
	Log              io.Writer
	Fault            *faultline.Line // nil outside of tests; PROVENIR_FAULT arms one in `serve`
}

// Addresses are where the mesh listens; empty where it does not.
type Addresses struct{ GRPC, HTTP, NATS string }

// Mesh is a running set of roles.
type Mesh struct {
	cfg     Config
	begin   time.Time
	ready   time.Duration
	tokens  identity.Tokens
	log     *slog.Logger
	server  *rpc.Server
	memory  *bufconn.Listener
	group   *lifecycle.Group
	conns   map[string]*grpc.ClientConn // by target; "" is this process
	closers []func() error              // run in reverse after the tasks
	health  []func(ctx context.Context) error
	at      Addresses
	metrics *prometheus.Registry
}

// grace is how long a role may take to stop.
const grace = 10 * time.Second

// Start builds and starts the roles; it returns when all of them serve.
func Start(ctx context.Context, cfg Config) (*Mesh, error) {
	m := &Mesh{cfg: cfg, begin: time.Now(), log: logger(cfg), memory: rpc.Listener(), group: lifecycle.NewGroup(grace),
		conns: map[string]*grpc.ClientConn{}, metrics: prometheus.NewRegistry()}
	if err := m.start(ctx); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	m.ready = time.Since(m.begin)
	return m, nil
}

// logger writes JSON lines. A mesh inside of a verb is silent unless somebody set log.level: the verb tells people what
// happened, once and in its own words.
func logger(cfg Config) *slog.Logger {
	if cfg.Private && cfg.Settings["log.level"].Origin == "default" {
		return slog.New(slog.DiscardHandler)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Settings.Get("log.level"))); err != nil {
		level = slog.LevelWarn // config has checked it
	}
	return slog.New(slog.NewJSONHandler(cfg.Log, &slog.HandlerOptions{Level: level}))
}

func (m *Mesh) start(ctx context.Context) error {
	token, err := identity.LoadToken(m.cfg.Settings.TokenFile())
	if err != nil {
		return err
	}
	m.tokens = identity.NewTokens(token)
	if m.cfg.Fault == nil {
		if m.cfg.Fault, err = faultFromEnv(); err != nil {
			return err
		}
	}
	if m.server, err = rpc.NewServer(rpc.ServerConfig{Log: m.log, Tokens: m.tokens, Metrics: m.metrics}); err != nil {
		return err
	}
	b, err := m.open(ctx)
	if err != nil {
		return err
	}
	var gateway bool
	for _, r := range Roles() {
		if !slices.Contains(m.cfg.Roles, r) {
			continue
		}
		if r == Gateway {
			gateway = true
			continue
		}
		if err := b.build(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	b.registerCommon()
	if err := m.server.Seal(); err != nil {
		return err
	}
	m.group.Start(ctx, lifecycle.Task{Name: "memory listener", Run: func(ctx context.Context) error {
		return m.server.ServeUntil(ctx, m.memory, grace/2)
	}})
	if err := m.listen(ctx); err != nil {
		return err
	}
	for _, t := range b.tasks {
		m.group.Start(ctx, t)
	}
	if gateway {
		if err := b.gateway(ctx); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	if err := m.recovered(ctx); err != nil {
		return err
	}
	b.serving()
	return nil
}

// recovered waits until every role says that it is healthy: a recorder may have logs to read first.
func (m *Mesh) recovered(ctx context.Context) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := m.Health(ctx)
		if err == nil {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case failed := <-m.group.Failed():
			t.Stop()
			return failed
		case <-ctx.Done():
			t.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// listen serves other processes, on loopback only.
func (m *Mesh) listen(ctx context.Context) error {
	addr := m.cfg.Settings.Get("grpc.listen")
	if m.cfg.Private || addr == "off" {
		return nil
	}
	l, err := loopbackListener(addr, "grpc.listen")
	if err != nil {
		return err
	}
	m.at.GRPC = l.Addr().String()
	m.group.Start(ctx, lifecycle.Task{Name: "gRPC listener", Run: func(ctx context.Context) error {
		done := make(chan error, 1)
		go func() { done <- m.server.Serve(l) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return errors.Join(ctx.Err(), closed(l.Close()))
		}
	}})
	return nil
}

func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// loopbackListener refuses to serve wider: the token would cross the network in plain text.
func loopbackListener(addr, key string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %q: want host:port", key, addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s: %q: only loopback is served without TLS and identities; use 127.0.0.1 and a proxy that has them", key, addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return l, nil
}

// conn gives the connection to a role: this process's own server, or a peer.
func (m *Mesh) conn(r Role) (*grpc.ClientConn, error) {
	target := ""
	if !slices.Contains(m.cfg.Roles, r) {
		if target = m.cfg.Settings.Get("peers." + string(r)); target == "" {
			return nil, fmt.Errorf("the role %s is not here and peers.%s says nothing: name it in --roles, or set peers.%s", r, r, r)
		}
	}
	if c := m.conns[target]; c != nil {
		return c, nil
	}
	dial := rpc.DialConfig{Token: m.tokens.Service(), Target: target}
	if target == "" {
		dial.Memory = m.memory
	}
	c, err := rpc.Dial(dial)
	if err != nil {
		return nil, err
	}
	m.conns[target] = c
	return c, nil
}

// Connect gives a person's connection to this process.
func (m *Mesh) Connect() (*grpc.ClientConn, error) {
	return rpc.Dial(rpc.DialConfig{Token: m.tokens.Person(), Memory: m.memory})
}

// Health asks every role of this process.
func (m *Mesh) Health(ctx context.Context) error {
	for _, h := range m.health {
		if err := h(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Failed gives the first failure of a role.
func (m *Mesh) Failed() <-chan error { return m.group.Failed() }

// Addresses says where the mesh listens.
func (m *Mesh) Addresses() Addresses { return m.at }

// Token is the person's token.
func (m *Mesh) Token() string { return m.tokens.Person() }

// ReadyAfter is how long Start took.
func (m *Mesh) ReadyAfter() time.Duration { return m.ready }

// metricsHandler serves GET /metrics.
func (m *Mesh) metricsHandler() http.Handler {
	return promhttp.HandlerFor(m.metrics, promhttp.HandlerOpts{})
}

// Stop stops the roles in reverse and closes what they used.
func (m *Mesh) Stop() error {
	var errs []error
	errs = append(errs, m.group.Stop())
	for _, c := range m.conns {
		errs = append(errs, c.Close())
	}
	if m.server != nil {
		m.server.Server.Stop()
	}
	for _, c := range slices.Backward(m.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
