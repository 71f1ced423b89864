package validate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReach(t *testing.T) {
	locked := func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); r.URL.Path == "/schema" && password != "right" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(locked))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	tests := []struct{ name, address, want string }{
		{"no credential", s.URL, "put its credential into the address, http://NAME:PASSWORD@" + host},
		{"a wrong one", "http://me:wrong@" + host, "answers 401 at /schema"},
		{"the right one", "http://me:right@" + host, ""},
		{"nobody", "http://127.0.0.1:1", "connection refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewRemote(tt.address)
			if err != nil {
				t.Fatal(err)
			}
			err = r.Reach(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "wrong") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}
