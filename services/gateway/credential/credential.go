// Package credential passes the caller's own credential on to the roles: the engine-facing handlers have none of their
// own, so whatever a caller may not do over gRPC it may not do over HTTP.
package credential

import (
	"encoding/base64"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Pass puts the request's credential and trace into its outgoing context. Clients of other makers know no bearer tokens
// and take names and passwords from a URL; a password of theirs is taken as the token. Browsers remember passwords and send
// them unasked, so calls from pages of other origins are refused.
func Pass(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := metadata.MD{}
		if a := bearer(r.Header.Get("Authorization")); a != "" {
			out.Set("authorization", a)
		}
		for _, name := range []string{"traceparent", "tracestate"} {
			if v := r.Header.Get(name); v != "" {
				out.Set(name, v)
			}
		}
		next.ServeHTTP(w, r.WithContext(metadata.NewOutgoingContext(r.Context(), out)))
	}))
}

func bearer(header string) string {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return header
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return header
	}
	_, password, ok := strings.Cut(string(b), ":")
	if !ok {
		return header
	}
	return "Bearer " + password
}
