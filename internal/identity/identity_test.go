package identity

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

func TestMay(t *testing.T) {
	const (
		viewer, operator, engineer = corev1.Role_ROLE_VIEWER, corev1.Role_ROLE_OPERATOR, corev1.Role_ROLE_ENGINEER
		auditor, admin, service    = corev1.Role_ROLE_AUDITOR, corev1.Role_ROLE_ADMIN, corev1.Role_ROLE_SERVICE
		anyone, unset              = corev1.Role_ROLE_ANYONE, corev1.Role_ROLE_UNSPECIFIED
	)
	for _, c := range []struct {
		name       string
		have, need corev1.Role
		want       bool
	}{
		{"viewer reads", viewer, viewer, true}, {"viewer does not pause", viewer, operator, false},
		{"engineer pauses", engineer, operator, true}, {"auditor reads", auditor, viewer, true},
		{"auditor changes nothing", auditor, operator, false}, {"engineer is no auditor", engineer, auditor, false},
		{"admin audits", admin, auditor, true}, {"admin is no service", admin, service, false},
		{"service may all", service, admin, true}, {"nobody may health", unset, anyone, true},
		{"an RPC without a role is closed", service, unset, false},
	} {
		if got := (Caller{Role: c.have}).May(c.need); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestTokens(t *testing.T) {
	k := NewTokens("pvr_0123456789abcdef")
	if c, ok := k.Check(k.Person()); !ok || c.Role != corev1.Role_ROLE_ADMIN {
		t.Errorf("person: %v %v", c, ok)
	}
	if c, ok := k.Check(k.Service()); !ok || c.Role != corev1.Role_ROLE_SERVICE {
		t.Errorf("service: %v %v", c, ok)
	}
	for _, bad := range []string{"", "pvr_", k.Person() + "x"} {
		if _, ok := k.Check(bad); ok {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, ok := (Tokens{}).Check(""); ok {
		t.Error("the empty token opened a mesh without one")
	}
}

func TestRolesThatStartAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "token")
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			token, err := LoadToken(path)
			if err != nil {
				t.Error(err)
			}
			got[i] = token
		})
	}
	wg.Wait()
	for _, g := range got {
		if g != got[0] || g == "" {
			t.Fatalf("tokens differ: %v", got)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadToken(path); err == nil {
		t.Error("a one-letter token was accepted")
	}
}
