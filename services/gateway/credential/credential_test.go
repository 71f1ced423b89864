package credential

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc/metadata"
)

func TestPass(t *testing.T) {
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct{ name, given, want string }{
		{"bearer", "Bearer pvr_x", "Bearer pvr_x"},
		{"none", "", ""},
		{"a password is the token", basic("me:pvr_x"), "Bearer pvr_x"},
		{"no name", basic(":pvr_x"), "Bearer pvr_x"},
		{"a password with colons", basic("me:a:b"), "Bearer a:b"},
		{"small letters", "b" + basic("me:pvr_x")[1:], "Bearer pvr_x"},
		{"no password", basic("me"), basic("me")},
		{"not base64", "Basic ???", "Basic ???"},
		{"another scheme", "Digest x", "Digest x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := false
			h := Pass(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				md, _ := metadata.FromOutgoingContext(r.Context())
				got := ""
				if v := md.Get("authorization"); len(v) > 0 {
					got = v[0]
				}
				if got != c.want || len(md.Get("traceparent")) != 1 || len(md.Get("x-role")) != 0 {
					t.Errorf("%v", md)
				}
			}))
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Traceparent", "00-1")
			r.Header.Set("X-Role", "service")
			if c.given != "" {
				r.Header.Set("Authorization", c.given)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			refused := httptest.NewRecorder()
			if h.ServeHTTP(refused, r); !called || refused.Code != http.StatusForbidden {
				t.Errorf("called %v, from a page elsewhere: %d", called, refused.Code)
			}
		})
	}
}
