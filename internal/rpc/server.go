package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/provenir/provenir/internal/identity"
)

// MaxMessage is the largest message; what is larger goes through the blob store.
const MaxMessage = 4<<20 + 64<<10 // a 4 MiB batch and its framing

// ServerConfig is what a server needs besides its services.
type ServerConfig struct {
	Log     *slog.Logger
	Tokens  identity.Tokens
	Metrics prometheus.Registerer
	Trace   bool // spans for every call; costs a few µs, so only where an exporter is configured
	// MaxCalls and MaxStreams bound what is under way at once; 0 means 4096 of each.
	MaxCalls, MaxStreams int64
}

// Server is a gRPC server with our chain and the health service.
type Server struct {
	*grpc.Server
	Health *health.Server
	access atomic.Pointer[Access]
}

// hot are the streams of the pump: their frames are checked field by field by the service, and reflection on each of
// 100,000 frames a second would be the largest part of the cost.
var hot = map[string]bool{
	"/provenir.recorder.v1.RecorderService/Append":         true,
	"/provenir.verifier.v1.VerifierService/VerifyRollouts": true,
	"/provenir.trainer.v1.TrainerService/Train":            true,
}

// NewServer makes a server; register services, then Seal it, then Serve.
func NewServer(cfg ServerConfig) (*Server, error) {
	v, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	metrics, err := metricsLink(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Server{Health: health.NewServer()}
	access := func() Access {
		if a := s.access.Load(); a != nil {
			return *a
		}
		return nil
	}
	calls, streams := cfg.MaxCalls, cfg.MaxStreams
	if calls == 0 {
		calls = 4096
	}
	if streams == 0 {
		streams = 4096
	}
	opts, err := Chain([]Interceptor{
		recoverLink(cfg.Log), logLink(cfg.Log), metrics, authenticateLink(cfg.Tokens.Check, access), authorizeLink(access),
		limitLink(calls, streams), deadlineLink(20 * time.Millisecond), validateLink(v, hot),
	})
	if err != nil {
		return nil, err
	}
	opts = append(opts, grpc.ForceServerCodecV2(codec{}), experimental.BufferPool(pool), grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}))
	if cfg.Trace {
		opts = append(opts, grpc.StatsHandler(otelgrpc.NewServerHandler()))
	}
	s.Server = grpc.NewServer(opts...)
	healthpb.RegisterHealthServer(s.Server, s.Health)
	return s, nil
}

// Seal reads the access options of everything that was registered; call it before Serve.
func (s *Server) Seal() error {
	a, err := ReadAccess(s.Server)
	if err != nil {
		return err
	}
	s.access.Store(&a)
	return nil
}

// ServeUntil serves l until ctx ends, then stops gracefully, and hard after grace.
func (s *Server) ServeUntil(ctx context.Context, l net.Listener, grace time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	s.Health.Shutdown()
	stopped := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(stopped)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-stopped:
	case <-timer.C:
		s.Stop() // watchers may hold streams open for ever
	}
	if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}
