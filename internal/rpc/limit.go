package rpc

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// limitLink bounds how many calls are under way at once. Streams live long and wait mostly: they have a bound of
// their own, so that watchers cannot shut out calls. While a hot one is open the garbage collector waits longer.
func limitLink(unary, streams int64) Interceptor {
	var calls, open atomic.Int64
	enter := func(n *atomic.Int64, limit int64) error {
		if n.Add(1) <= limit {
			return nil
		}
		n.Add(-1)
		return Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_OVERLOADED, "%d calls are under way; retry", limit).
			RetryAfter(&durationpb.Duration{Seconds: 1})
	}
	return Interceptor{"limit",
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := enter(&calls, unary); err != nil {
				return nil, err
			}
			defer calls.Add(-1)
			return next(ctx, req)
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := enter(&open, streams); err != nil {
				return err
			}
			defer open.Add(-1)
			if hot[info.FullMethod] {
				defer collector.busy()()
			}
			return next(srv, ss)
		}}
}
