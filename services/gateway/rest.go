package gateway

import (
	"context"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// muxOptions: names as in the proto's JSON mapping, strict input, the caller's own token passed on, errors as
// google.rpc.Status with Retry-After where the error says when.
func muxOptions() []runtime.ServeMuxOption {
	json := &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: false}, UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false}}
	return []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.HTTPBodyMarshaler{Marshaler: json}),
		runtime.WithMarshalerOption("text/event-stream", &eventMarshaler{JSONPb: *json}),
		runtime.WithMarshalerOption("application/x-ndjson", &lineMarshaler{JSONPb: *json}),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithErrorHandler(failed),
	}
}

// incoming lets through the credential and the trace, and nothing that a role could mistake for either.
func incoming(name string) (string, bool) {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Authorization", "Traceparent", "Tracestate":
		return strings.ToLower(name), true
	default:
		return "", false
	}
}

func failed(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if status.Code(err) == codes.ResourceExhausted || status.Code(err) == codes.Unavailable {
		w.Header().Set("Retry-After", "1")
	}
	if status.Code(err) == codes.Unauthenticated {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	runtime.DefaultHTTPErrorHandler(ctx, mux, &runtime.JSONPb{}, w, r, err)
	_ = m // errors are JSON whatever was asked for
}

// guard bounds bodies and sets what browsers need to be safe.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 8<<20)
		next.ServeHTTP(w, r)
	})
}
