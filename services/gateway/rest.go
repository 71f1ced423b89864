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

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// muxOptions: names as in the proto's JSON mapping, strict input, the caller's own token passed on, errors as
// google.rpc.Status with Retry-After where the error says when.
func muxOptions() []runtime.ServeMuxOption {
	json := &compactJSON{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: false}, UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false}}}
	return []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.HTTPBodyMarshaler{Marshaler: json}),
		runtime.WithMarshalerOption("text/event-stream", &eventMarshaler{compactJSON: *json}),
		runtime.WithMarshalerOption("application/x-ndjson", &lineMarshaler{compactJSON: *json}),
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

// failed writes every error as JSON, whatever was asked for, and always with a reason: what the gateway itself refuses is a
// field that breaks its rule.
func failed(ctx context.Context, mux *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if status.Code(err) == codes.InvalidArgument && rpc.Reason(err) == "" {
		err = rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s", rpc.Message(err))
	}
	advise(w.Header(), runtime.HTTPStatusFromCode(status.Code(err)))
	runtime.DefaultHTTPErrorHandler(ctx, mux, &runtime.JSONPb{}, w, r, err)
}

// advise says what a client may do about a status.
func advise(h http.Header, code int) {
	switch code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
}

// maxBody bounds a request: a message of 4 MiB, its bytes in base64, and room for the rest.
const maxBody = 8 << 20

// guard bounds bodies and sets what browsers need to be safe.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.ContentLength > maxBody { // said before a byte of it is read; without a length the reader below ends it
			tooLarge(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func tooLarge(w http.ResponseWriter) {
	p := rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_FRAME_TOO_LARGE,
		"the body has more than %d bytes; put large content into the blob store and send its digest", maxBody)
	b, err := (&runtime.JSONPb{}).Marshal(p.GRPCStatus().Proto())
	if err != nil {
		http.Error(w, p.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	_, _ = w.Write(b) // the client may have gone
}
