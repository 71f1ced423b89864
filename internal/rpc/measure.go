package rpc

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// metricsLink counts calls by method and code, and times unary ones. No run id is ever a label.
func metricsLink(reg prometheus.Registerer) (Interceptor, error) {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "provenir_rpc_calls_total", Help: "Finished calls by method and gRPC code.",
	}, []string{"method", "code"})
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "provenir_rpc_unary_seconds", Help: "Time of unary calls.",
		Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, 1, 5},
	}, []string{"method"})
	for _, c := range []prometheus.Collector{calls, took} {
		if err := reg.Register(c); err != nil {
			return Interceptor{}, err
		}
	}
	return Interceptor{"metrics",
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			begin := time.Now()
			resp, err := next(ctx, req)
			took.WithLabelValues(info.FullMethod).Observe(time.Since(begin).Seconds())
			calls.WithLabelValues(info.FullMethod, status.Code(err).String()).Inc()
			return resp, err
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			err := next(srv, ss)
			calls.WithLabelValues(info.FullMethod, status.Code(err).String()).Inc()
			return err
		}}, nil
}
