package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/provenir/provenir/passport"
)

// write keeps the private half; the public one lies beside it for who verifies.
func (k *Keys) write(e Entry, private *ecdsa.PrivateKey) error {
	if err := k.keep(k.path(e.ID, e.Encrypted), private, e.Encrypted); err != nil {
		return err
	}
	return durable(filepath.Join(k.dir, e.ID+".pub.pem"), []byte(e.PublicPEM), 0o644)
}

// keep writes a private key, under the passphrase if it is to be.
func (k *Keys) keep(path string, private any, encrypted bool) error {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if encrypted {
		if b, err = encrypt(b, k.passphrase); err != nil {
			return err
		}
	}
	return durable(path, b, 0o600)
}

func durable(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func encrypt(b []byte, passphrase string) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func (k *Keys) open(e Entry) (*ecdsa.PrivateKey, error) {
	parsed, err := k.read(k.path(e.ID, e.Encrypted), e.Encrypted)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", e.ID, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s: is no ECDSA key", e.ID)
	}
	if id, err := passport.KeyID(&private.PublicKey); err != nil || id != e.ID {
		return nil, fmt.Errorf("key %s: the file holds another key", e.ID)
	}
	return private, nil
}

// read opens a private key that nobody else can read.
func (k *Keys) read(path string, encrypted bool) (any, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %o; others could read it: chmod 600 it", path, mode)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if encrypted {
		if b, err = decrypt(b, k.passphrase); err != nil {
			return nil, err
		}
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", path)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

func decrypt(b []byte, passphrase string) ([]byte, error) {
	if passphrase == "" {
		return nil, ErrLocked
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(b), id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return io.ReadAll(r)
}
