// Package grpctest serves services in memory, with the real chain of interceptors, for tests.
package grpctest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rpc"
)

// Token is the person's token of every test server.
const Token = "pvr_test_token_0123456789"

// Serve registers and serves until the test ends, and connects as another role of the mesh.
func Serve(t testing.TB, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	return ServeAs(t, identity.NewTokens(Token).Service(), register)
}

// ServeAs connects with the given token.
func ServeAs(t testing.TB, token string, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	t.Helper()
	s, err := rpc.NewServer(rpc.ServerConfig{
		Log: slog.New(slog.DiscardHandler), Tokens: identity.NewTokens(Token), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	register(s)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	l := rpc.Listener()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServeUntil(ctx, l, time.Second) }()
	conn, err := rpc.Dial(rpc.DialConfig{Token: token, Memory: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return conn
}
