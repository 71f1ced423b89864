package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/store"
)

func open(t *testing.T, dir, passphrase string) *Keys {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(dir, "g.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	k, err := Open(filepath.Join(dir, "keys"), db, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheDefaultKeyIsMadeOnceAndSignsTheSame(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir, "")
	first, e, err := k.Signer(t.Context(), "", time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	again, e2, err := k.Signer(t.Context(), "", time.UnixMilli(2))
	if err != nil || e.ID != e2.ID {
		t.Fatalf("%s and %s, %v", e.ID, e2.ID, err)
	}
	a, err := first.Sign([]byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := again.Sign([]byte("m")); err != nil || !bytes.Equal(a, b) {
		t.Errorf("one message has two signatures, %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "keys", e.ID+".pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Signer(t.Context(), "", time.UnixMilli(3)); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read signed: %v", err)
	}
}

func TestAPassphraseIsNeeded(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir, "correct horse")
	_, e, err := k.Signer(t.Context(), "", time.UnixMilli(1))
	if err != nil || !e.Encrypted {
		t.Fatalf("%+v, %v", e, err)
	}
	for _, wrong := range []string{"", "battery staple"} {
		k.passphrase = wrong
		if _, _, err := k.Signer(t.Context(), "", time.UnixMilli(2)); !errors.Is(err, ErrLocked) {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
	}
	b, err := os.ReadFile(k.path(e.ID, true))
	if err != nil || bytes.Contains(b, []byte("PRIVATE KEY")) {
		t.Errorf("the file is not encrypted, %v", err)
	}
}

func TestRotationAndRevocation(t *testing.T) {
	k := open(t, t.TempDir(), "")
	_, first, err := k.Signer(t.Context(), "", time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.Create(t.Context(), time.UnixMilli(2), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, now, err := k.Signer(t.Context(), "", time.UnixMilli(3)); err != nil || now.ID != second.ID {
		t.Errorf("the default is %s, %v", now.ID, err)
	}
	if _, _, err := k.Signer(t.Context(), first.ID, time.UnixMilli(3)); err != nil {
		t.Errorf("a retired key that is named: %v", err)
	}
	if e, err := k.Revoke(t.Context(), first.ID, "lost", time.UnixMilli(4)); err != nil || e.State != "revoked" || e.Revoked.UnixMilli() != 4 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, _, err := k.Signer(t.Context(), first.ID, time.UnixMilli(5)); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked key signed: %v", err)
	}
	if _, err := k.Revoke(t.Context(), "absent", "", time.UnixMilli(5)); !errors.Is(err, ErrUnknown) {
		t.Errorf("an absent key: %v", err)
	}
	if list, err := k.List(t.Context()); err != nil || len(list) != 2 || list[0].ID != second.ID {
		t.Errorf("list %+v, %v", list, err)
	}
}
