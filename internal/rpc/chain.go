package rpc

import (
	"fmt"
	"slices"

	"google.golang.org/grpc"
)

// Interceptor is one named link of the chain, in both forms.
type Interceptor struct {
	Name   string
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
}

// Order is the order of the links. recover is outermost so that nothing escapes it; log and metrics see the final
// status; authenticate comes before anything that spends work on the caller; validate is last and sees only calls
// that may be made. trace is grpc's own stats handler, outside of the chain.
var order = []string{"recover", "log", "metrics", "authenticate", "authorize", "limit", "deadline", "validate"}

// Chain makes server options of the links, after checking that they are the ones of the documented order.
func Chain(links []Interceptor) ([]grpc.ServerOption, error) {
	var names []string
	var unary []grpc.UnaryServerInterceptor
	var stream []grpc.StreamServerInterceptor
	for _, l := range links {
		if l.Unary == nil || l.Stream == nil {
			return nil, fmt.Errorf("interceptor %s lacks its unary or its stream form", l.Name)
		}
		names = append(names, l.Name)
		unary = append(unary, l.Unary)
		stream = append(stream, l.Stream)
	}
	if !slices.Equal(names, order) {
		return nil, fmt.Errorf("interceptors are %v, want %v", names, order)
	}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...)}, nil
}
