package keys

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/provenir/provenir/ledger"
)

const (
	cosignerName = "provenir.dev/governance"
	cosignerStem = "cosigner" // cosigner.pem or cosigner.pem.age, and cosigner.vkey beside it
)

// Cosigner signs checkpoints of others with an Ed25519 key of its own, made when first needed. It is not a passport key:
// whoever has one of the two cannot forge what the other signs.
type Cosigner struct {
	keys *Keys
	mu   sync.Mutex
	key  ed25519.PrivateKey
	id   *ledger.Cosigner
}

// Cosigner is the one of this folder; it opens nothing yet.
func (k *Keys) Cosigner() *Cosigner { return &Cosigner{keys: k} }

// Cosign adds a signature that says when the checkpoint was seen.
func (c *Cosigner) Cosign(signed []byte, now time.Time) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key == nil {
		if err := c.load(); err != nil {
			return nil, fmt.Errorf("cosigner key: %w", err)
		}
	}
	return ledger.Cosign(signed, c.id, c.key, now)
}

func (c *Cosigner) load() error {
	key, err := c.keys.ed25519(cosignerStem)
	if err != nil {
		return err
	}
	return c.use(key)
}

// use writes the public half each time: a crash between the two files must not leave a key that nobody can check.
func (c *Cosigner) use(key ed25519.PrivateKey) error {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("the key has no Ed25519 public half")
	}
	id, err := ledger.NewCosigner(cosignerName, public)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.keys.dir, cosignerStem+".vkey"), []byte(id.String()+"\n"), 0o644); err != nil {
		return err
	}
	c.key, c.id = key, id
	return nil
}
