package recorder

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Files of the checkpoint key in the key folder.
const (
	keyFile  = "ledger.key"  // secret, mode 0600
	vkeyFile = "ledger.vkey" // public: what an auditor passes to `ledger verify --vkey`
)

// LoadKey reads the key that signs checkpoints, or makes it the first time. The name goes into signatures and stays with
// the key.
func LoadKey(dir, name string) (signer note.Signer, vkey string, err error) {
	skey, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(dir, name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the ledger's key: %w", err)
	}
	public, err := os.ReadFile(filepath.Join(dir, vkeyFile))
	if err != nil {
		return nil, "", fmt.Errorf("read the ledger's public key: %w", err)
	}
	return parseKey(string(skey), string(public))
}

func makeKey(dir, name string) (note.Signer, string, error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, "", fmt.Errorf("make the ledger's key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", fmt.Errorf("make the key folder: %w", err)
	}
	// The public key first: a secret without its public half would sign what nobody can check.
	if err := os.WriteFile(filepath.Join(dir, vkeyFile), []byte(vkey+"\n"), 0o644); err != nil {
		return nil, "", fmt.Errorf("write the ledger's public key: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte(skey+"\n"), 0o600); err != nil {
		return nil, "", fmt.Errorf("write the ledger's key: %w", err)
	}
	return parseKey(skey, vkey)
}

func parseKey(skey, vkey string) (note.Signer, string, error) {
	skey, vkey = strings.TrimSpace(skey), strings.TrimSpace(vkey)
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, "", fmt.Errorf("the ledger's key is damaged: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, "", fmt.Errorf("the ledger's public key is damaged: %w", err)
	}
	if v.Name() != signer.Name() || v.KeyHash() != signer.KeyHash() {
		return nil, "", fmt.Errorf("%s and %s are not of one key", keyFile, vkeyFile)
	}
	return signer, vkey, nil
}
