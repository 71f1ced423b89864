package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/grpctest"
)

// problem is a google.rpc.Status as a client in any language reads it.
type problem struct {
	Code    int
	Message string
	Details []struct {
		Type     string `json:"@type"`
		Reason   string
		Domain   string
		Metadata map[string]string
	}
}

func (a answer) reason(t *testing.T) string {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s: %q is no google.rpc.Status: %v", a.code, a.header.Get("Content-Type"), a.body, err)
	}
	for _, d := range p.Details {
		if d.Type == "type.googleapis.com/google.rpc.ErrorInfo" && d.Domain == "provenir.dev" {
			return d.Reason
		}
	}
	return ""
}

func TestTheCallersTokenIsPassedOn(t *testing.T) {
	e := newEdge(t)
	for _, c := range []struct {
		name, token string
		code        int
	}{
		{"the person's", "Bearer " + grpctest.Token, 200}, {"another", "Bearer pvr_wrong", 401}, {"none", "", 401},
		{"another scheme", "Basic " + grpctest.Token, 401}, {"no scheme", grpctest.Token, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, accept := range []string{"application/json", "text/event-stream", "application/x-ndjson"} {
				path := "/v1/passports/x"
				if accept != "application/json" {
					path = "/v1/anomalies:watch"
				}
				got := e.call("GET", path, "", "Authorization", c.token, "Accept", accept)
				if got.code != c.code || (got.header.Get("WWW-Authenticate") == "Bearer") != (c.code == 401) {
					t.Errorf("%s: %d %v %s", accept, got.code, got.header, got.body)
				}
				if c.code == 401 && got.reason(t) != "UNAUTHENTICATED" {
					t.Errorf("%s: %s", accept, got.body)
				}
			}
		})
	}
}

// A header that a role would read as its own must not come from outside.
func TestHeadersAreNotPassedOn(t *testing.T) {
	for name, want := range map[string]string{"Authorization": "authorization", "traceparent": "traceparent", "TraceState": "tracestate",
		"Grpc-Metadata-Authorization": "", "Grpc-Timeout": "", "X-Tenant": "", "Cookie": "", "X-Forwarded-For": ""} {
		if got, ok := incoming(name); got != want || ok != (want != "") {
			t.Errorf("%s becomes %q", name, got)
		}
	}
	e := newEdge(t)
	if got := e.call("GET", "/v1/passports/x", "", "Authorization", "", "Grpc-Metadata-Authorization", "Bearer "+grpctest.Token); got.code != 401 {
		t.Errorf("a credential by another name: %d", got.code)
	}
}

func TestCallsAreStrict(t *testing.T) {
	e := newEdge(t)
	bundle := base64.StdEncoding.EncodeToString([]byte("b"))
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		reason, says             string
	}{
		{"good", "POST", "/v1/passports:verify", `{"bundle":"` + bundle + `"}`, 200, "", `"overall":"CHECK_STATE_HOLDS"`},
		{"names of the proto", "POST", "/v1/passports:verify", `{"bundle":"` + bundle + `","public_keys":[]}`, 200, "", `HOLDS`},
		{"unknown field", "POST", "/v1/passports:verify", `{"bundle":"` + bundle + `","more":1}`, 400, "INVALID_ARGUMENT", "more"},
		{"duplicate field", "POST", "/v1/passports:verify", `{"bundle":"` + bundle + `","bundle":""}`, 400, "INVALID_ARGUMENT", "bundle"},
		{"wrong type", "POST", "/v1/passports:verify", `{"bundle":7}`, 400, "INVALID_ARGUMENT", ""},
		{"no JSON", "POST", "/v1/passports:verify", `bundle`, 400, "INVALID_ARGUMENT", ""},
		{"a rule of the field", "POST", "/v1/passports:verify", `{}`, 400, "INVALID_ARGUMENT", "bundle"},
		{"unknown parameter", "GET", "/v1/passports/x?more=1", "", 200, "", ""},
		{"not found", "GET", "/v1/passports/absent", "", 404, "PASSPORT_NOT_FOUND", "no passport absent"},
		{"overloaded", "GET", "/v1/passports/busy", "", 429, "OVERLOADED", ""},
		{"not implemented", "GET", "/v1/keys", "", 501, "", ""},
		{"no such path", "GET", "/v1/nothing", "", 404, "", ""},
		{"no such verb", "DELETE", "/v1/passports/x", "", 501, "", ""},
		{"a digest in the path", "GET", "/v1/passports/sha256:ab", "", 200, "", `"digest":"sha256:ab"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := e.call(c.method, c.path, c.body)
			if got.code != c.code || !strings.Contains(got.body, c.says) {
				t.Fatalf("%d %s", got.code, got.body)
			}
			if c.code >= 400 && got.reason(t) != c.reason {
				t.Errorf("reason %q, want %q: %s", got.reason(t), c.reason, got.body)
			}
			if retry := got.header.Get("Retry-After"); (retry == "1") != (c.code == 429) {
				t.Errorf("Retry-After %q", retry)
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	e := newEdge(t)
	if got := e.call("POST", "/v1/passports:verify", strings.Repeat("x", maxBody+1)); got.code != 413 || got.reason(t) != "FRAME_TOO_LARGE" {
		t.Errorf("%d %.200s", got.code, got.body)
	}
	// Without a length the body is cut off where the limit is.
	req, err := http.NewRequestWithContext(t.Context(), "POST", e.url+"/v1/passports:verify", struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", maxBody+1))})
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = -1
	req.Header.Set("Authorization", "Bearer "+grpctest.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("chunked: %d", resp.StatusCode)
	}
}

func TestBrowsersAreKeptSafe(t *testing.T) {
	e := newEdge(t)
	for _, path := range []string{"/", "/docs", "/openapi.json", "/healthz", "/v1/passports/x", "/v1/nothing", "/nothing"} {
		h := e.call("GET", path, "").header
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "", "Set-Cookie": ""} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	if got := e.call("OPTIONS", "/v1/passports/x", "", "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "GET"); got.code == 200 || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("CORS is off: %d %v", got.code, got.header)
	}
}
