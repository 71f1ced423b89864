package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/identity"
)

// recoverLink turns a panic into INTERNAL, with the stack in the log only.
func recoverLink(log *slog.Logger) Interceptor {
	caught := func(ctx context.Context, method string, v any) error {
		log.ErrorContext(ctx, "panic in a handler", "rpc.method", method, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		return Errorf(codes.Internal, corev1.ErrorReason_ERROR_REASON_INTERNAL, "internal error in %s; the log of the role has the stack", method)
	}
	return Interceptor{"recover",
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
			defer func() {
				if v := recover(); v != nil {
					err = caught(ctx, info.FullMethod, v)
				}
			}()
			return next(ctx, req)
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = caught(ss.Context(), info.FullMethod, v)
				}
			}()
			return next(srv, ss)
		}}
}

// logLink writes one wide event a call. Errors of the caller's making are INFO, ours are ERROR; an error that is no
// problem yet becomes INTERNAL here, so that its text stays inside.
func logLink(log *slog.Logger) Interceptor {
	done := func(ctx context.Context, method string, begin time.Time, err error) error {
		err = edge(err)
		level := slog.LevelDebug
		switch code := status.Code(err); code {
		case codes.OK:
		case codes.Internal, codes.Unknown, codes.DataLoss:
			level = slog.LevelError
		case codes.Canceled:
		default:
			level = slog.LevelInfo
		}
		if log.Enabled(ctx, level) {
			attrs := []any{"rpc.method", method, "code", status.Code(err).String(), "took", time.Since(begin).String()}
			if err != nil {
				attrs = append(attrs, "reason", Reason(err), "error", cause(err))
			}
			log.Log(ctx, level, "call", attrs...)
		}
		return err
	}
	return Interceptor{"log",
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			begin := time.Now()
			resp, err := next(ctx, req)
			return resp, done(ctx, info.FullMethod, begin, err)
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			begin := time.Now()
			return done(ss.Context(), info.FullMethod, begin, next(srv, ss))
		}}
}

// internal is an error whose text must not leave the process.
type internal struct{ err error }

func (i internal) Error() string { return i.err.Error() }
func (i internal) Unwrap() error { return i.err }
func (i internal) GRPCStatus() *status.Status {
	return Errorf(codes.Internal, corev1.ErrorReason_ERROR_REASON_INTERNAL, "internal error; the log of the role says why").GRPCStatus()
}

func edge(err error) error {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return status.FromContextError(context.Canceled).Err()
	case errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(context.DeadlineExceeded).Err()
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.Unknown {
		return err
	}
	return internal{err}
}

func cause(err error) string { return err.Error() }

// authenticateLink takes the bearer token. The tenant comes from it and from nowhere else.
func authenticateLink(check func(token string) (identity.Caller, bool), access func() Access) Interceptor {
	who := func(ctx context.Context, method string) (context.Context, error) {
		token := bearer(ctx)
		if c, ok := check(token); ok {
			return identity.NewContext(ctx, c), nil
		}
		if access()[method].GetRole() == corev1.Role_ROLE_ANYONE {
			return identity.NewContext(ctx, identity.Caller{Tenant: identity.DefaultTenant, Name: "anyone"}), nil
		}
		if token == "" {
			return nil, Errorf(codes.Unauthenticated, corev1.ErrorReason_ERROR_REASON_UNAUTHENTICATED,
				"no credential: send 'Authorization: Bearer TOKEN'; the token lies in <data>/token")
		}
		return nil, Errorf(codes.Unauthenticated, corev1.ErrorReason_ERROR_REASON_UNAUTHENTICATED,
			"the token is not of this mesh; it lies in <data>/token")
	}
	return contextLink("authenticate", who)
}

func bearer(ctx context.Context) string {
	for _, v := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if token, ok := strings.CutPrefix(v, "Bearer "); ok {
			return token
		}
	}
	return ""
}

// authorizeLink compares the caller's role with the method's.
func authorizeLink(access func() Access) Interceptor {
	return contextLink("authorize", func(ctx context.Context, method string) (context.Context, error) {
		caller, _ := identity.FromContext(ctx)
		a := access()[method]
		if !caller.May(a.GetRole()) {
			return nil, Errorf(codes.PermissionDenied, corev1.ErrorReason_ERROR_REASON_PERMISSION_DENIED,
				"%s may not call %s: it needs %s", caller.Name, method, a.GetRole())
		}
		return ctx, nil
	})
}

// deadlineLink takes 20 ms off a unary call's deadline, for the way back: a handler that uses the whole of it would
// answer a caller that has gone. Work that cannot finish is refused before it begins.
func deadlineLink(shave time.Duration) Interceptor {
	l := contextLink("deadline", func(ctx context.Context, _ string) (context.Context, error) { return ctx, nil })
	l.Unary = func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		at, ok := ctx.Deadline()
		if !ok {
			return next(ctx, req)
		}
		at = at.Add(-shave)
		if time.Until(at) <= 0 {
			return nil, Errorf(codes.DeadlineExceeded, corev1.ErrorReason_ERROR_REASON_DEADLINE_TOO_SHORT,
				"the deadline leaves less than %s for the work", shave)
		}
		ctx, cancel := context.WithDeadline(ctx, at)
		defer cancel()
		return next(ctx, req)
	}
	return l
}

// validateLink checks the rules of the proto on every message. Frames of the pump's streams carry opaque bytes and few
// fields; they are checked all the same.
func validateLink(v protovalidate.Validator, skip map[string]bool) Interceptor {
	check := func(m any) error {
		msg, ok := m.(proto.Message)
		if !ok {
			return nil
		}
		err := v.Validate(msg)
		var violations *protovalidate.ValidationError
		if !errors.As(err, &violations) {
			return err
		}
		p := Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s", firstViolation(violations))
		for _, x := range violations.Violations {
			p.Field(protovalidate.FieldPathString(x.Proto.GetField()), x.Proto.GetMessage())
		}
		return p
	}
	return Interceptor{"validate",
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := check(req); err != nil {
				return nil, err
			}
			return next(ctx, req)
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if skip[info.FullMethod] {
				return next(srv, ss)
			}
			return next(srv, &checkedStream{ss, check})
		}}
}

func firstViolation(e *protovalidate.ValidationError) string {
	x := e.Violations[0]
	text := protovalidate.FieldPathString(x.Proto.GetField()) + ": " + x.Proto.GetMessage()
	if n := len(e.Violations) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

type checkedStream struct {
	grpc.ServerStream
	check func(any) error
}

func (s *checkedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.check(m)
}

// contextLink makes both forms of a link that only changes or refuses the context.
func contextLink(name string, f func(ctx context.Context, method string) (context.Context, error)) Interceptor {
	return Interceptor{name,
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			ctx, err := f(ctx, info.FullMethod)
			if err != nil {
				return nil, err
			}
			return next(ctx, req)
		},
		func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			ctx, err := f(ss.Context(), info.FullMethod)
			if err != nil {
				return err
			}
			return next(srv, &contextStream{ss, ctx})
		}}
}

type contextStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream's context can only be replaced by wrapping the stream
}

func (s *contextStream) Context() context.Context { return s.ctx }
