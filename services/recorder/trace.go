package recorder

import (
	"context"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

// w3c is a traceparent of version 00 (W3C Trace Context, section 3.2).
var w3c = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceparent names the trace of a call: the span that this process made for it, else what the caller sent. It is empty
// without either, and for what is not in the form of the standard: a header of ours must not carry a stranger's bytes.
func traceparent(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-" + sc.TraceFlags().String()
	}
	for _, v := range metadata.ValueFromIncomingContext(ctx, "traceparent") {
		if w3c.MatchString(v) && strings.Trim(v[3:35], "0") != "" && strings.Trim(v[36:52], "0") != "" {
			return v
		}
	}
	return ""
}
