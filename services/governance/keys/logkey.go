package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/note"
)

const (
	logName = "provenir.dev/governance-log"
	logStem = "audit" // audit.pem or audit.pem.age, and audit.vkey beside it
	// ed25519Alg is the first byte of a note key of that kind (golang.org/x/mod/sumdb/note).
	ed25519Alg = 1
)

// LogKey signs the checkpoints of the audit log with a key of its own, made when first needed.
type LogKey struct {
	keys   *Keys
	mu     sync.Mutex
	signer note.Signer
}

// LogKey is the one of this folder; it opens nothing yet.
func (k *Keys) LogKey() *LogKey { return &LogKey{keys: k} }

// Signer opens the key.
func (l *LogKey) Signer() (note.Signer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.signer != nil {
		return l.signer, nil
	}
	key, err := l.keys.ed25519(logStem)
	if err != nil {
		return nil, fmt.Errorf("key of the audit log: %w", err)
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("key of the audit log: it has no Ed25519 public half")
	}
	vkey, err := note.NewEd25519VerifierKey(logName, public)
	if err != nil {
		return nil, fmt.Errorf("key of the audit log: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("key of the audit log: %w", err)
	}
	secret := append([]byte{ed25519Alg}, key.Seed()...)
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", logName, v.KeyHash(), base64.StdEncoding.EncodeToString(secret)))
	if err != nil {
		return nil, fmt.Errorf("key of the audit log: %w", err)
	}
	// Each time: a crash between the two files must not leave a key that nobody can check.
	if err := os.WriteFile(filepath.Join(l.keys.dir, logStem+".vkey"), []byte(vkey+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("key of the audit log: %w", err)
	}
	l.signer = s
	return s, nil
}

// ed25519 reads a key of this folder, or makes it.
func (k *Keys) ed25519(stem string) (ed25519.PrivateKey, error) {
	for _, encrypted := range []bool{false, true} {
		private, err := k.read(k.path(stem, encrypted), encrypted)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key, ok := private.(ed25519.PrivateKey)
		if !ok {
			return nil, errors.New("the file holds no Ed25519 key")
		}
		return key, nil
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	encrypted := k.passphrase != ""
	return key, k.keep(k.path(stem, encrypted), key, encrypted)
}

// LogVKey is the public half of the audit log's key, as people pass it on; it is there once something was logged.
func (k *Keys) LogVKey() (string, error) {
	b, err := os.ReadFile(filepath.Join(k.dir, logStem+".vkey"))
	return string(bytes.TrimSpace(b)), err
}
