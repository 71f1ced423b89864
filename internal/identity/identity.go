// Package identity says who calls: the tenant and the roles behind a credential.
//
// On loopback there is one token, printed by `up` and kept in <data>/token (mode 0600): whoever can read that file is
// the person who started the mesh. Roles call each other with a key derived from it. Beyond loopback, mTLS, OIDC and
// API keys come with the deployment work; until then serving wider is refused.
package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// DefaultTenant owns everything on a mesh without tenants.
const DefaultTenant = "default"

// Caller is who calls. It comes from the credential, never from the request.
type Caller struct {
	Tenant string
	Name   string // for audit events and acknowledgements
	Role   corev1.Role
}

// May says whether the caller has at least the role. Auditors read what viewers read; services may call everything.
func (c Caller) May(need corev1.Role) bool {
	switch {
	case need == corev1.Role_ROLE_UNSPECIFIED:
		return false
	case need == corev1.Role_ROLE_ANYONE, c.Role == corev1.Role_ROLE_SERVICE:
		return true
	case need == corev1.Role_ROLE_SERVICE:
		return false
	case c.Role == corev1.Role_ROLE_AUDITOR:
		return need == corev1.Role_ROLE_VIEWER || need == corev1.Role_ROLE_AUDITOR
	case need == corev1.Role_ROLE_AUDITOR:
		return c.Role == corev1.Role_ROLE_ADMIN
	default:
		return c.Role >= need && c.Role <= corev1.Role_ROLE_ADMIN
	}
}

type callerKey struct{}

// NewContext carries a caller.
func NewContext(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// FromContext finds the caller; false outside of an authenticated call.
func FromContext(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// Tokens checks bearer tokens of one mesh.
type Tokens struct {
	person  string
	service string
}

// NewTokens derives the service key from the person's token.
func NewTokens(token string) Tokens {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte("provenir/service/v1"))
	return Tokens{person: token, service: hex.EncodeToString(h.Sum(nil))}
}

// Person is the token that people use.
func (t Tokens) Person() string { return t.person }

// Service is the token that roles use among themselves.
func (t Tokens) Service() string { return t.service }

// Check says who holds the token.
func (t Tokens) Check(token string) (Caller, bool) {
	switch {
	case same(token, t.service):
		return Caller{Tenant: DefaultTenant, Name: "mesh", Role: corev1.Role_ROLE_SERVICE}, true
	case same(token, t.person):
		return Caller{Tenant: DefaultTenant, Name: "owner", Role: corev1.Role_ROLE_ADMIN}, true
	default:
		return Caller{}, false
	}
}

func same(a, b string) bool {
	return len(b) > 0 && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// LoadToken reads the token file, or makes it with mode 0600. Two roles that start at once agree on one token: the
// file is linked into place, and who comes second reads the first's.
func LoadToken(path string) (string, error) {
	if token, err := readToken(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the token: %w", err)
	}
	var raw [24]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".token-*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString("pvr_" + hex.EncodeToString(raw[:]) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("write the token: %w", err)
	}
	return readToken(path)
}

func readToken(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 16 {
		return "", fmt.Errorf("%s holds no token of at least 16 characters: remove it and a new one is made", path)
	}
	return token, nil
}
